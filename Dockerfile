# docker build -t retinago .
# docker run --rm -p 8080:8080 -v "$PWD:/data" retinago serve -weights best.safetensors
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" retinago detect -weights best.safetensors -source photos -out found

# Base images are named by the digests of their indexes: what is built tomorrow stands on the same bytes. To renew one:
#   docker buildx imagetools inspect golang:1.26-bookworm --format '{{.Manifest.Digest}}'
FROM golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d AS go

FROM go AS build
WORKDIR /src
# All of the build has the same flags: another flag would compile every package again.
ENV GOFLAGS=-trimpath
# Slow and seldom changing first: packages, modules, gocv's C++.
COPY go.mod go.sum ./
COPY scripts/setup scripts/
RUN scripts/setup && go mod download && go build gocv.io/x/gocv gorgonia.org/gorgonia
COPY . .
ARG VERSION=devel
RUN go build -tags opencv -ldflags "-s -w -X main.version=$VERSION" -o /retinago ./cmd/retinago

FROM build AS build-gpu
ARG VERSION=devel
RUN make -s build TAGS="gpu opencv" VERSION="$VERSION" && mv bin/retinago /retinago

FROM build AS build-mpi
ARG VERSION=devel
RUN TAGS="opencv mpi" scripts/setup && go build -tags "opencv mpi" -ldflags "-s -w -X main.version=$VERSION" -o /retinago ./cmd/retinago

FROM build AS build-images
ARG VERSION=devel
RUN go build -tags libjpeg -ldflags "-s -w -X main.version=$VERSION" -o /retinago ./cmd/retinago

FROM debian:bookworm-slim@sha256:7c7b2c966bc9ee8cedfeef67e0e279108992c77681fa595db4a9d65c06ccc587 AS base
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libdnnl2 libgomp1 libjpeg62-turbo libstdc++6 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin retinago
COPY LICENSE /usr/share/doc/retinago/
COPY configs /usr/share/retinago/configs
USER retinago
# For what is measured once on a machine, and fetched weights: there is no home.
ENV XDG_CACHE_HOME=/tmp/cache
# Mount your folder here: relative paths on the command line are then relative to it.
WORKDIR /data
# serve listens on every interface of the container; -addr takes another address. SIGTERM, which docker stop sends, stops it; give that
# at least -grace and -drain.
ENV RETINAGO_ADDR=:8080
EXPOSE 8080
# Other verbs are always healthy. The models load in the start period.
COPY scripts/healthcheck /usr/local/lib/retinago/
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["/usr/local/lib/retinago/healthcheck"]
ENTRYPOINT ["retinago"]

# For servers, and for detection on images: no video, and 10 shared libraries (`ldd`).
#   docker build --target images -t retinago:images .
FROM base AS images
COPY --from=build-images /retinago /usr/local/bin/retinago

# Videos, cameras and streams take OpenCV and FFmpeg. These are the packages of the libraries that the program itself needs (`readelf -d`).
# `ldd` lists 265 libraries, since Debian builds OpenCV and FFmpeg with all their options: videoio needs 243 of them (GStreamer, gphoto,
# FFmpeg's 134, and GDAL by way of imgcodecs), highgui adds Qt. The modules that only gocv needs (calib3d, dnn, features2d, objdetect,
# photo, video) add 11. The program does not start without them: it links with all of gocv.
FROM base AS runtime
USER root
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      libavcodec59 libavformat59 libavutil57 libswscale6 libwebp7 \
      libopencv-calib3d406 libopencv-core406 libopencv-dnn406 libopencv-features2d406 libopencv-highgui406 \
      libopencv-imgcodecs406 libopencv-imgproc406 libopencv-objdetect406 libopencv-photo406 libopencv-video406 \
      libopencv-videoio406 \
 && rm -rf /var/lib/apt/lists/*
USER retinago

# The key that signs NVIDIA's repository: the download is used only if it holds the one key with this fingerprint. apt then compares the
# packages with the signed list.
FROM go AS nvidia-key
ADD https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/3bf863cc.pub /nvidia.asc
RUN gpg --batch --with-colons --show-keys /nvidia.asc >/keys \
 && [ "$(grep -c ^pub: /keys)" = 1 ] && [ "$(awk -F: '$1 == "fpr" { print $10; exit }' /keys)" = EB693B3035CD5710E231E123A4B469963BF863CC ] \
 || { echo "this is not the key of NVIDIA's repository:"; cat /keys; exit 1; } >&2

# For NVIDIA GPUs, with the driver of the machine (--gpus all, NVIDIA's container toolkit) and cuDNN 9 in the image:
#   docker build --target gpu -t retinago:gpu .
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/data" retinago:gpu version
FROM runtime AS gpu
USER root
COPY --from=nvidia-key /nvidia.asc /usr/share/keyrings/nvidia.asc
# NVIDIA's repository for Debian 12 has cuDNN 9, and NVRTC and cuBLAS with cuBLASLt, which it opens.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
 && chmod 644 /usr/share/keyrings/nvidia.asc \
 && echo 'deb [signed-by=/usr/share/keyrings/nvidia.asc] https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/ /' >/etc/apt/sources.list.d/nvidia.list \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libcudnn9-cuda-12 libcublas-12-6 cuda-nvrtc-12-6 \
 && rm -rf /var/lib/apt/lists/*
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-gpu /retinago /usr/local/bin/retinago
USER retinago

# For training in several processes (docs/cluster.md): Open MPI, which starts the processes of other machines through SSH. A pod of Kubeflow's
# MPI operator gets the keys in .ssh and runs the SSH server without root:
#   docker build --target mpi -t retinago-mpi .
FROM runtime AS mpi
USER root
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openmpi-bin openssh-client openssh-server \
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \
 && printf '%s\n' 'Port 2222' 'StrictHostKeyChecking no' 'UserKnownHostsFile /dev/null' 'LogLevel ERROR' >/etc/ssh/ssh_config.d/retinago.conf \
 && usermod --home /home/retinago --shell /bin/sh retinago \
 && mkdir -p /home/retinago/.ssh \
 && printf '%s\n' 'Port 2222' 'HostKey /home/retinago/.ssh/id_rsa' 'AuthorizedKeysFile .ssh/authorized_keys' 'PidFile none' 'StrictModes no' 'UsePAM no' \
      'PasswordAuthentication no' 'KbdInteractiveAuthentication no' >/home/retinago/.sshd_config \
 && chown -R retinago: /home/retinago
COPY --from=build-mpi /retinago /usr/local/bin/retinago
USER retinago

# The last stage is what `docker build` makes without a target.
FROM runtime AS cpu
COPY --from=build /retinago /usr/local/bin/retinago
