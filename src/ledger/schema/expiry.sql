-- Jusqu'à quand le leader veut que ce signal soit suivi ; NULL : jusqu'au suivant.
ALTER TABLE signals ADD COLUMN expires_at INTEGER;
