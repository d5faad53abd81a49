# L'image de Calv-a-lot : le programme et ce qu'il nomme, rien d'autre, sous l'utilisateur 1000.
#
# Sur un Raspberry Pi, pour lui-même (`start.sh`) ; d'un PC, pour les trois architectures, sans émulateur :
#
#     docker buildx build --platform linux/amd64,linux/arm64,linux/arm/v7 .
#
# Tout se compile sur la machine qui construit (BUILDPLATFORM), au besoin pour une autre (TARGETARCH). Une tâche à la fois
# par défaut, pour tenir dans 1 Go (`start.sh` en met autant que la mémoire en permet) ; les dépendances dans une couche à
# part, refaite seulement quand Cargo.lock change. Sans `# syntax=` ni montage de cache : le BuildKit de Docker 20.10 suffit.

# La somme est celle de la liste des architectures ; l'étiquette dit ce que c'est.
ARG RUST=rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082

FROM --platform=$BUILDPLATFORM $RUST AS tools
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates cmake make perl tzdata \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build

# Une étape par architecture : son nom chez Debian, chez GCC, chez Rust.
FROM tools AS for-amd64
ENV DEBIAN=amd64 GCC=x86-64-linux-gnu \
    CARGO_BUILD_TARGET=x86_64-unknown-linux-gnu \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc

FROM tools AS for-arm64
ENV DEBIAN=arm64 GCC=aarch64-linux-gnu \
    CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc

FROM tools AS for-armv7
ENV DEBIAN=armhf GCC=arm-linux-gnueabihf \
    CARGO_BUILD_TARGET=armv7-unknown-linux-gnueabihf \
    CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER=arm-linux-gnueabihf-gcc

FROM for-$TARGETARCH$TARGETVARIANT AS build
# Pour une autre machine que celle-ci : son éditeur de liens, sa bibliothèque C, celle de Rust.
RUN if [ "$DEBIAN" != "$(dpkg --print-architecture)" ]; then \
        dpkg --add-architecture "$DEBIAN" \
        && apt-get update \
        && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
            "gcc-$GCC" "libc6-dev:$DEBIAN" "libgcc-s1:$DEBIAN" \
        && rm -rf /var/lib/apt/lists/* \
        && rustup target add "$CARGO_BUILD_TARGET"; \
    fi

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
    && packaging/rootfs "target/$CARGO_BUILD_TARGET/release/calvalot" /rootfs \
    && mkdir /empty

FROM scratch
COPY --from=build /rootfs/ /
# Après l'arbre, et seul : le dossier garde ainsi son propriétaire.
COPY --from=build --chown=1000:1000 /empty/ /app/data/
# Un tas pour tous les fils, qui attendent plus qu'ils n'allouent : 0,15 Mo de moins.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    MALLOC_ARENA_MAX=1
WORKDIR /app
USER 1000:1000
EXPOSE 8080
VOLUME /app/data
# Trois minutes pour une base à reprendre de l'ancienne version, sur une carte SD.
# Docker récrit deux fichiers à chaque essai, 11 Ko mesurés : chaque minute, ce serait le double de ce qu'écrit le programme.
HEALTHCHECK --interval=5m --timeout=10s --start-period=180s --retries=3 \
    CMD ["/usr/local/bin/calvalot", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/calvalot"]
