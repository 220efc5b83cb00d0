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
//	connection (MaxConns) -> body (MaxBody, BodyTimeout) -> place (Queue) -> pixels by the header (MaxPixels)
//	  -> decode, scale (as many as cores) -> wait for company (Batch, Delay) -> network (one at a time)
//	  -> boxes, NMS as the request wants them -> answer (WriteTimeout)
//
// A request that gets no place is answered 429 at once, with Retry-After; one that has a place is answered, also while the
// server stops. Bodies and decoded pictures in memory have a budget each, so that the most memory follows from the options
// alone. Requests of one canvas size that wait together go through the network as one batch.
package serve
