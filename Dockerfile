# L'image de Calv-a-lot : le programme et ce qu'il nomme, rien d'autre, sous l'utilisateur 1000.
#
# Pensée pour être construite sur un Raspberry Pi : une tâche à la fois par défaut (`start.sh` en met autant que la
# mémoire en permet ; la plus grosse, la dernière, prend 0,8 Go), les dépendances dans une couche à part, refaite seulement quand Cargo.lock change. Ni `# syntax=`
# ni montage de cache : le constructeur des vieux Docker la lit aussi.

FROM rust:1.95.0-slim-bookworm AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates cmake make perl tzdata \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build

ARG CARGO_BUILD_JOBS=1
# zlib dans le programme : une bibliothèque de moins à emporter.
ENV CARGO_BUILD_JOBS=$CARGO_BUILD_JOBS \
    CARGO_INCREMENTAL=0 \
    LIBZ_SYS_STATIC=1

# Les dépendances, derrière un programme vide.
COPY Cargo.toml Cargo.lock ./
COPY build build
COPY .cargo/config.toml .cargo/config.toml
RUN mkdir src && echo 'fn main() {}' >src/main.rs && touch src/lib.rs \
    && cargo build --locked --release --bin calvalot

COPY src src
COPY static static
COPY packaging/rootfs packaging/rootfs
ARG GIT_COMMIT=
# Les dates des sources sont plus vieilles que le programme vide : sans cela, cargo le croirait à jour.
RUN touch src/main.rs src/lib.rs static \
    && GIT_COMMIT=$GIT_COMMIT cargo build --locked --release --bin calvalot \
    && packaging/rootfs target/release/calvalot /rootfs \
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
