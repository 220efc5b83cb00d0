// Package serve answers pictures and video with detections over HTTP.
//
//	POST /v1/detect  a picture   -> JSON, or the picture with boxes
//	POST /v1/stream  MJPEG       -> MJPEG with boxes, or a line of JSON per frame
//	GET  /v1/stream  ?camera=C   -> MJPEG with boxes of a camera of the server's
//	GET  /v1/socket  WebSocket   -> a message of JSON per frame
//	GET  /v1/models /healthz /readyz /metrics /openapi.json and, at /, a page to try it
//
// What a picture goes through, and what bounds it:
//
//	connection (MaxConns, MaxConnsAddress) -> Host (Hosts), Origin (Origins), token (Tokens)
//	  -> body (MaxBody, BodyTimeout) -> place (Queue) -> pixels by the header (MaxPixels)
//	  -> decode, scale (as many as cores) -> wait for company (Batch, Delay) -> network (one at a time)
//	  -> boxes, NMS as the request wants them -> answer (WriteTimeout)
//
// A request that gets no place is answered 429 at once, with Retry-After; one that has a place is answered, also while the
// server stops. Bodies, decoded pictures and answers that are on their way out have a budget of memory each, so that the most
// memory follows from the options alone. Requests of one canvas size that wait together go through the network as one batch.
//
// A panic on a picture's way fails that picture or its batch, and is logged. /readyz says 503 while no picture comes through.
package serve
