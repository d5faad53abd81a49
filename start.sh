#!/usr/bin/env bash
# Met Calv-a-lot en marche dans Docker, et dit en clair ce qui l'en empêche (./start.sh --help).
#
# Tout est vérifié avant que quoi que ce soit change. En français si LANG le dit, sinon en anglais. Ne demande jamais
# les droits de root : la commande qui en a besoin est affichée. Rien n'est lu d'un terminal, sauf un oui à --update.
set -eu
cd "$(dirname "$0")"
readonly container=calvalot

# say ANGLAIS FRANÇAIS
say() {
    case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
        fr*) printf '%s\n' "$2" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

refuse() {
    say "$@" >&2
    exit 1
}

usage() {
    say "./start.sh [--demo | --monitoring | --stop | --logs | --update [--yes] | --help]

  (nothing)      build if needed, start, wait until all is well or it waits for you, show the address of the page
  --demo         a simulated leader and exchange: no account, no key; Ctrl-C ends it
  --monitoring   start, with Prometheus and Grafana beside it, on this machine only
  --stop         stop; data/ stays
  --logs         what the program says (Ctrl-C leaves)
  --update       show what would change; after a yes (or with --yes) back up data/, update, and go
                 back by itself if the new version is not healthy" \
        "./start.sh [--demo | --monitoring | --stop | --logs | --update [--yes] | --help]

  (rien)         construit s'il le faut, démarre, attend que tout aille ou qu'il t'attende, donne l'adresse de la page
  --demo         un leader et une bourse simulés : ni compte, ni clé ; Ctrl-C l'arrête
  --monitoring   démarre, avec Prometheus et Grafana à côté, sur cette machine seulement
  --stop         arrête ; data/ reste
  --logs         ce que dit le programme (Ctrl-C en sort)
  --update       montre ce qui changerait ; après un oui (ou avec --yes) sauvegarde data/, met à jour,
                 et revient en arrière de lui-même si la nouvelle version ne va pas"
}

# --- Les vérifications ---

# Remplit `compose` ; un Docker qui répond et sait limiter la mémoire.
check_docker() {
    local answer
    command -v docker >/dev/null || refuse \
        "Docker is missing. Install it, then run this again: https://docs.docker.com/engine/install/debian/" \
        "Docker n'est pas installé. Installe-le, puis relance : https://docs.docker.com/engine/install/debian/"
    if ! answer=$(docker info --format '{{.MemoryLimit}}' 2>&1); then
        case $answer in *ermission*denied*) refuse \
            "You may not use Docker. Run: sudo usermod -aG docker $(id -un), then log out and in again." \
            "Tu n'as pas le droit d'utiliser Docker. Lance : sudo usermod -aG docker $(id -un), puis reconnecte-toi." ;;
        esac
        refuse "Docker does not answer ($answer). Run: sudo systemctl start docker" \
            "Docker ne répond pas ($answer). Lance : sudo systemctl start docker"
    fi
    compose=(docker compose)
    if ! docker compose version >/dev/null 2>&1; then
        compose=(docker-compose)
        command -v docker-compose >/dev/null || refuse \
            "Docker Compose is missing. Run: sudo apt install docker-compose-plugin (or docker-compose)" \
            "Docker Compose n'est pas installé. Lance : sudo apt install docker-compose-plugin (ou docker-compose)"
    fi
    case $answer in *false*) check_cgroup ;; esac
}

# Raspberry Pi OS démarre sans compter la mémoire : la limite de 32 Mo resterait lettre morte.
check_cgroup() {
    local file=/boot/firmware/cmdline.txt
    [ -e "$file" ] || file=/boot/cmdline.txt
    refuse "This system does not limit memory yet. At the end of the one line of $file add
    cgroup_enable=memory cgroup_memory=1
(on the same line, after a space: sudo nano $file), then: sudo reboot" \
        "Ce système ne limite pas encore la mémoire. Au bout de l'unique ligne de $file, ajoute
    cgroup_enable=memory cgroup_memory=1
(sur la même ligne, après une espace : sudo nano $file), puis : sudo reboot"
}

# setting NOM : sa valeur dans .env, sans guillemets simples ; la dernière compte.
setting() {
    [ ! -e .env ] || sed -n "s/^$1=//p" .env | tail -n 1 | tr -d "'\r"
}

check_env() {
    local name changed
    if [ ! -e .env ]; then
        (umask 077 && cp .env.example .env)
        say "Made .env from .env.example." "Le fichier .env est créé d'après .env.example."
    fi
    # Invisible, et le premier nom du fichier en devient un autre, que personne ne lit.
    ! head -n 1 .env | LC_ALL=C grep -q $'^\xef\xbb\xbf' || refuse \
        "An editor wrote an invisible mark (BOM) at the start of .env. Run: LC_ALL=C sed -i '1s/^...//' .env" \
        "Un éditeur a écrit une marque invisible (BOM) au début de .env. Lance : LC_ALL=C sed -i '1s/^...//' .env"
    for name in LEADER_URL SIGNAL_SECRET; do
        # L'assistant de l'ancienne version les a peut-être écrits là.
        if [ -z "$(setting $name)" ] && ! grep -q "\"$name\"" data/config.json 2>/dev/null; then
            refuse "$name is missing. Open .env (nano .env), write it after $name= (the leader gives it to you), run this again.
To try without a leader: ./start.sh --demo" \
                "$name manque. Ouvre .env (nano .env), écris-le après $name= (le leader te le donne), relance.
Pour essayer sans leader : ./start.sh --demo"
        fi
    done
    # Compose remplace $MOT dans une valeur qui n'est pas entre guillemets simples : un secret en sortirait changé.
    changed=$(sed -nE "s/^([A-Z_]+)=([^'].*)?[\$].*/\1/p" .env | head -n 1)
    [ -z "$changed" ] || refuse "The value of $changed in .env contains a \$: write it between single quotes ('…')." \
        "La valeur de $changed dans .env contient un \$ : écris-la entre guillemets simples ('…')."
}

# Dans le conteneur, le programme est l'utilisateur 1000.
check_data() {
    mkdir -p data
    if [ "$(id -u)" -eq 0 ]; then chown -R 1000:1000 data; fi
    [ -z "$(find data ! -uid 1000 -print -quit)" ] || refuse \
        "data/ must belong to user 1000. Run: sudo chown -R 1000:1000 $PWD/data" \
        "data/ doit appartenir à l'utilisateur 1000. Lance : sudo chown -R 1000:1000 $PWD/data"
    [ -z "$(find data -type d ! -perm -u=rwx -print -quit)" ] || refuse \
        "data/ is not writable. Run: chmod -R u+rwX data" "data/ n'est pas accessible en écriture. Lance : chmod -R u+rwX data"
}

check_port() {
    port=$(setting PORT)
    port=${port:-8080}
    check_free PORT "$port" "$container"
}

# check_free NOM PORT CONTENEUR : personne d'autre que ce conteneur n'y écoute.
check_free() {
    if is_running "$3"; then return; fi
    if (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then
        refuse "Port $2 is taken by another program. Stop it, or write another $1=… into .env" \
            "Le port $2 est pris par un autre programme. Arrête-le, ou écris un autre $1=… dans .env"
    fi
}

is_running() {
    [ "$(docker inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ]
}

# --- Les actions ---

# Une tâche de construction par Go libre.
build() {
    local memory jobs commit
    memory=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
    jobs=$((${memory:-0} / 1000000))
    if [ "$jobs" -lt 1 ]; then jobs=1; fi
    if [ "$jobs" -gt "$(nproc)" ]; then jobs=$(nproc); fi
    export BUILD_JOBS=${BUILD_JOBS:-$jobs}
    commit=$(git rev-parse --short=12 HEAD 2>/dev/null || true)
    say "Building. The first time takes long on a Raspberry Pi: let it." \
        "Construction. La première fois est longue sur un Raspberry Pi : laisse faire."
    # Le Dockerfile veut BuildKit, dont Docker 20.10 ne se sert pas de lui-même. Le commit est pour la construction seule :
    # le conteneur dit celui qu'il porte, même après un retour en arrière.
    if ! DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1 GIT_COMMIT=$commit "${compose[@]}" build; then
        say "The image cannot be built; the lines above say why. If they name buildx: sudo apt install docker-buildx-plugin
(or docker-buildx), then run this again." \
            "L'image ne se construit pas ; les lignes ci-dessus disent pourquoi. Si elles nomment buildx :
sudo apt install docker-buildx-plugin (ou docker-buildx), puis relance." >&2
        return 1
    fi
}

# Demande au programme comment il va. `asks` : pourquoi il attend une personne, s'il marche par ailleurs (une machine neuve,
# un livre remis) ; `unkept` : pourquoi son livre ne s'écrit plus, ou s'écrit dans un fichier qui n'est plus à sa place.
ask() {
    local answer well=0
    answer=$(docker exec "$container" /usr/local/bin/calvalot healthcheck 2>&1) || well=$?
    asks=$(told account alone)
    unkept=$(told ledger written)
    return "$well"
}

# told NOM BIEN : ce que `answer` dit sous ce nom, si ce n'est pas que tout va ; rien d'un autre programme.
told() {
    local pattern="\"service\":\"calvalot\".*\"$1\":\"(([^\"\\\\]|\\\\.)*)\""
    if [[ $answer =~ $pattern && ${BASH_REMATCH[1]} != "$2" ]]; then echo "${BASH_REMATCH[1]//\\\"/\"}"; fi
}

# Vrai quand le programme se dit en bonne santé, ou n'attend qu'une personne ; faux si son livre ne s'écrit pas, s'il
# s'arrête, ou après trois minutes : une base à reprendre de l'ancienne version prend du temps sur une carte SD.
healthy() {
    local count
    for ((count = 0; count < 180; count++)); do
        if ask; then return 0; fi
        if [ -n "$unkept" ]; then return 1; fi
        if [ -n "$asks" ]; then return 0; fi
        # Il redémarre sans fin, ou s'est arrêté : attendre n'y changera rien.
        case $(docker inspect --format '{{.State.Status}} {{.RestartCount}}' "$container" 2>/dev/null) in
            'running 0' | 'created 0') sleep 1 ;;
            *) return 1 ;;
        esac
    done
    return 1
}

tell_asks() {
    [ -z "$asks" ] || say "It waits for you, and trades nothing before: the page asks what to do ($asks)." \
        "Il t'attend, et n'échange rien avant : la page demande quoi faire."
}

addresses() {
    local lan
    # Aucun paquet ne part : on demande seulement par où il partirait.
    lan=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
    lan=${lan:-$(hostname -I 2>/dev/null | cut -d' ' -f1)}
    echo "    http://${lan:-localhost}:$port/"
    echo "    http://$(hostname).local:$port/"
}

# start [OPTIONS DE COMPOSE…]
start() {
    check_docker
    check_env
    check_data
    check_port
    build
    "${compose[@]}" "$@" up --detach
    if ! healthy; then
        if [ -n "$unkept" ]; then
            say "Nothing is traded: $unkept. The page, which says what to do:" \
                "Rien ne s'échange : son livre ne s'écrit pas, ou n'est plus à sa place. La page, qui dit quoi faire :"
            addresses
            exit 1
        fi
        docker logs --tail 20 "$container" >&2 || true
        refuse "It does not run well; the lines above say why. After a change in .env: ./start.sh" \
            "Il ne marche pas bien ; les lignes ci-dessus disent pourquoi. Après un changement dans .env : ./start.sh"
    fi
    say "Calv-a-lot runs. The page, from this network:" "Calv-a-lot marche. La page, depuis ce réseau :"
    addresses
    tell_asks
    say "Next: open it. Test the whole installation: docker exec $container /usr/local/bin/calvalot check
The log: ./start.sh --logs    Stop: ./start.sh --stop    A newer version: ./start.sh --update" \
        "Ensuite : ouvre-la. Essayer toute l'installation : docker exec $container /usr/local/bin/calvalot check
Le journal : ./start.sh --logs    Arrêter : ./start.sh --stop    Une version plus récente : ./start.sh --update"
}

demo() {
    check_docker
    is_running "$container-demo" && refuse "The demo runs already. To end it: ./start.sh --stop" \
        "La démonstration tourne déjà. Pour l'arrêter : ./start.sh --stop"
    check_port
    is_running "$container" && refuse "Calv-a-lot runs on this port: ./start.sh --stop first." \
        "Calv-a-lot tourne sur ce port : d'abord ./start.sh --stop."
    build
    say "The demo, in a moment (Ctrl-C ends it):" "La démonstration, dans un instant (Ctrl-C l'arrête) :"
    addresses
    exec "${compose[@]}" run --rm --service-ports --name "$container-demo" follower demo --port "$port"
}

stop() {
    check_docker
    # Un terminal que l'on ferme laisse tourner la démonstration, que Compose n'arrête pas.
    docker rm --force "$container-demo" >/dev/null 2>&1 || true
    "${compose[@]}" --profile monitoring down
}

monitoring() {
    local grafana prometheus name
    check_docker
    check_env
    give_password
    grafana=$(setting GRAFANA_PORT)
    grafana=${grafana:-3000}
    prometheus=$(setting PROMETHEUS_PORT)
    prometheus=${prometheus:-9090}
    check_free GRAFANA_PORT "$grafana" "$container-grafana"
    check_free PROMETHEUS_PORT "$prometheus" "$container-prometheus"
    start --profile monitoring
    for name in "$container-prometheus" "$container-grafana"; do
        is_running "$name" || refuse "$name does not run: docker logs $name says why." \
            "$name ne tourne pas : docker logs $name dit pourquoi."
    done
    say "The monitoring (user admin, the password is GRAFANA_PASSWORD in .env), from this machine only:" \
        "La surveillance (utilisateur admin, le mot de passe est GRAFANA_PASSWORD dans .env), depuis cette machine seulement :"
    echo "    http://localhost:$grafana/    Grafana"
    echo "    http://localhost:$prometheus/    Prometheus"
    say "From another one: ssh -L $grafana:localhost:$grafana $(id -un)@$(hostname).local, then open the first address there." \
        "Depuis une autre : ssh -L $grafana:localhost:$grafana $(id -un)@$(hostname).local, puis ouvre là-bas la première adresse."
}

# Grafana n'a pas de mot de passe par défaut ; s'il manque, on en tire un.
give_password() {
    local password
    [ -z "$(setting GRAFANA_PASSWORD)" ] || return 0
    password=$(LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 24)
    printf '\nGRAFANA_PASSWORD=%s\n' "$password" >>.env
    say "Wrote a password for Grafana into .env (GRAFANA_PASSWORD)." \
        "Un mot de passe pour Grafana est écrit dans .env (GRAFANA_PASSWORD)."
}

# Avec de l'argent réel, une sauvegarde ne sait rien des ordres passés depuis : la remettre les doublerait.
may_be_live() {
    docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$container" | grep -qi '^TRADING_MODE=.*live' \
        || grep -qi live data/config.json 2>/dev/null
}

confirmed() {
    local answer
    if [ "${1:-}" = --yes ]; then return; fi
    [ -t 0 ] || refuse "Nothing was changed: run ./start.sh --update --yes" \
        "Rien n'a été changé : lance ./start.sh --update --yes"
    say "Update? [y/N]" "Mettre à jour ? [o/N]"
    read -r answer
    case $answer in [yYoO]*) ;; *) exit 0 ;; esac
}

# back COMMIT SAUVEGARDE : la version d'avant, ses livres d'avant s'ils sont simulés.
back() {
    local kept
    docker logs --tail 20 "$container" >&2 || true
    say "The new version is not healthy: going back." "La nouvelle version ne va pas : retour en arrière." >&2
    if may_be_live; then kept=yes; else kept=; fi
    "${compose[@]}" down || true
    git reset --quiet --keep "$1"
    docker tag calvalot:previous calvalot:latest
    if [ -z "$kept" ]; then
        tar -tzf "$2" >/dev/null
        find data -mindepth 1 -delete
        tar -xzf "$2"
    fi
    "${compose[@]}" up --detach --no-build
    if healthy; then
        refuse "The version of before runs again. Tell the project what the lines above say." \
            "La version d'avant tourne de nouveau. Dis au projet ce que montrent les lignes ci-dessus."
    fi
    docker logs --tail 20 "$container" >&2 || true
    refuse "The version of before does not run either. With real money the ledger was not put back: orders may have been
placed since. Compare with Binance before you use $2." \
        "La version d'avant ne marche pas non plus. En réel, le livre n'a pas été remis : des ordres ont pu partir depuis.
Compare avec Binance avant de te servir de $2."
}

update() {
    local before backup
    check_docker
    check_env
    check_data
    check_port
    is_running "$container" || refuse "It does not run: start it first (./start.sh), so that one knows what to go back to." \
        "Il ne tourne pas : démarre-le d'abord (./start.sh), pour savoir à quoi revenir."
    ask || true
    [ -z "$unkept" ] || refuse "Nothing was changed: $unkept." \
        "Rien n'a été changé : son livre ne s'écrit pas, ou n'est plus à sa place. La page dit quoi faire ; d'abord cela."
    [ -z "$(git status --porcelain --untracked-files=no)" ] || refuse \
        "Files of the program were changed here (git status). Put them back first." \
        "Des fichiers du programme ont été changés ici (git status). Remets-les d'abord."
    git fetch --quiet
    before=$(git rev-parse HEAD)
    if [ -z "$(git log --oneline 'HEAD..@{upstream}')" ]; then
        say "Nothing new." "Rien de nouveau."
        return
    fi
    say "What would change:" "Ce qui changerait :"
    git --no-pager log --oneline 'HEAD..@{upstream}'
    git --no-pager diff --stat 'HEAD..@{upstream}' -- src Cargo.lock docker-compose.yml start.sh .env.example
    confirmed "$@"

    docker tag calvalot:latest calvalot:previous
    git merge --quiet --ff-only '@{upstream}'
    # L'ancienne tourne toujours : une construction qui échoue ne coûte rien.
    if ! build; then
        git reset --quiet --keep "$before"
        docker tag calvalot:previous calvalot:latest
        refuse "The new version cannot be built; the old one was not touched." \
            "La nouvelle version ne se construit pas ; l'ancienne n'a pas été touchée."
    fi
    # Une copie relue, que la surveillance voit ; une version d'avant ne sait pas la faire, et l'archive suffit au retour.
    docker exec "$container" /usr/local/bin/calvalot backup >/dev/null 2>&1 || true
    # Arrêté, le livre est un seul fichier entier.
    "${compose[@]}" stop
    backup=backups/data-$(date +%Y%m%d-%H%M%S).tar.gz
    if ! { mkdir -p backups && (umask 077 && tar -czf "$backup" data); }; then
        git reset --quiet --keep "$before"
        docker tag calvalot:previous calvalot:latest
        "${compose[@]}" start
        refuse "data/ cannot be backed up: nothing was updated." "data/ ne peut pas être sauvegardé : rien n'a été mis à jour."
    fi
    "${compose[@]}" up --detach --no-build || true
    healthy || back "$before" "$backup"
    # Ses règles ont pu changer ; Grafana relit ses tableaux de lui-même.
    if is_running "$container-prometheus"; then docker restart "$container-prometheus" >/dev/null; fi
    say "Updated and running. The backup of before: $backup" "À jour et en marche. La sauvegarde d'avant : $backup"
    tell_asks
}

main() {
    case ${1:-} in
        '') start ;;
        --demo) demo ;;
        --monitoring) monitoring ;;
        --stop) stop ;;
        --logs) exec docker logs --follow --tail 200 "$container" ;;
        --update) shift && update "$@" ;;
        --help | -h) usage ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
}

# Une mise à jour change ce fichier : il est lu jusqu'au bout avant d'agir.
main "$@"; exit
