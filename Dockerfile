# syntax=docker/dockerfile:1

# The image has the C compiler that SQLite, which is compiled in, and ring need.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
# What cargo downloaded and compiled stays on the builder; the binary leaves the cache with the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --package renaksi \
    && cp target/release/renaksi /renaksi

FROM debian:bookworm-slim
# Certificates of public authorities, for calls to others; the data folder, for those who run it on SQLite. The newest certificates are
# wanted, so their version is not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin renaksi \
    && install --directory --owner=renaksi --group=renaksi --mode=0750 /var/lib/renaksi
COPY --from=build /renaksi /usr/local/bin/renaksi
USER 10001
WORKDIR /var/lib/renaksi
ENV RENAKSI_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["renaksi", "healthcheck"]
ENTRYPOINT ["renaksi"]
CMD ["serve"]
