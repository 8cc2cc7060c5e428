# An image with nothing in it but the program and the certificates of certificate authorities.
#
#	docker build --build-arg VERSION=$(git describe --tags --always) -t shodanrep .
#	docker run --rm -i -e SHODAN_API_KEY shodanrep check - < access.log

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /source
COPY go.mod go.sum ./
COPY third_party third_party
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep.version=$VERSION" \
    -o /image/root/usr/bin/shodanrep .
# The home of the user is for the cache, and /tmp for the index of a dataset where the cache is off.
RUN mkdir -p /image/user/home/shodanrep && mkdir -m 1777 /image/root/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /image/root/ /
COPY --from=build --chown=65532:65532 /image/user/ /
ENV HOME=/home/shodanrep
USER 65532:65532
WORKDIR /home/shodanrep
ENTRYPOINT ["/usr/bin/shodanrep"]
