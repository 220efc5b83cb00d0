// Package serve detects objects in images and videos over HTTP.
//
//	POST /v1/detect  an image    -> JSON, or the image with boxes
//	POST /v1/stream  MJPEG       -> MJPEG with boxes, or a line of JSON per frame
//	GET  /v1/stream  ?camera=C   -> MJPEG with boxes from one of the server's cameras
//	GET  /v1/socket  WebSocket   -> a message of JSON per frame
//	GET  /v1/models /healthz /readyz /metrics /openapi.json and, at /, a page to try it
//
// The path of an image, and the options that bound each step:
//
//	connection (MaxConns, MaxConnsAddress) -> Host (Hosts), Origin (Origins), token (Tokens)
//	  -> body (MaxBody, BodyTimeout) -> place (Queue) -> pixels by the header (MaxPixels)
//	  -> decode, scale (as many as cores) -> wait for a batch (Batch, Delay) -> network (one at a time)
//	  -> boxes, NMS with the request's parameters -> answer (WriteTimeout)
//
// A request that gets no place is answered 429 at once, with Retry-After. A request with a place is answered, also while the
// server stops. Bodies, decoded images and answers that are being sent have a memory budget each, so that the options
// bound the memory. Requests of one canvas size that wait at the same time go through the network as one batch.
//
// A panic fails the image or the batch in which it happens, and is logged. /readyz answers 503 while no request succeeds.
package serve
