# La même image que celle du Dockerfile, d'un programme déjà compilé : pour une publication, où l'on croise au lieu d'émuler.
#
# Le contexte est un dossier qui a `rootfs` (packaging/rootfs) et les programmes, `linux-amd64/calvalot`,
# `linux-arm64/calvalot`, `linux-armv7/calvalot`. Liés à la glibc d'une Debian 12 ou plus ancienne.

FROM debian:bookworm-20250520-slim AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/*
ARG TARGETARCH
ARG TARGETVARIANT
COPY rootfs /usr/local/bin/rootfs
COPY linux-$TARGETARCH$TARGETVARIANT/calvalot /build/calvalot
RUN /usr/local/bin/rootfs /build/calvalot /rootfs \
    && mkdir /empty

FROM scratch
COPY --from=build /rootfs/ /
# Après l'arbre, et seul : le dossier garde ainsi son propriétaire.
COPY --from=build --chown=1000:1000 /empty/ /app/data/
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /app
USER 1000:1000
EXPOSE 8080
VOLUME /app/data
# Trois minutes pour une base à reprendre de l'ancienne version, sur une carte SD.
# Docker récrit deux fichiers à chaque essai, 11 Ko mesurés : chaque minute, ce serait le double de ce qu'écrit le programme.
HEALTHCHECK --interval=5m --timeout=10s --start-period=180s --retries=3 \
    CMD ["/usr/local/bin/calvalot", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/calvalot"]
