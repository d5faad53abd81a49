// Le thème choisi, appliqué avant la première image pour que rien ne clignote. Seul script qui ne soit pas un module : un
// module passerait après elle. Le reste est dans theme.js.

try {
  const theme = localStorage.getItem('calvalot.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Un navigateur peut refuser sa mémoire : on suit le système.
}
