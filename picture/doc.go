// Package picture reads, writes, scales and draws on pictures.
//
//	file -> check -> decode (OpenCV, or Go's packages with the build tag nocv) -> upright RGB Picture [H,W,3] uint8
//	Picture -> ResizeNormalize -> rows of a float32 canvas [h,w,3]
//
// Every kind of file comes out as 8-bit RGB: grey is repeated, CMYK converted, 16 bits cut to 8, transparency dropped.
// EXIF rotation is applied. A file that is cut or corrupt is an error, never half a picture. This is the only package
// that imports gocv.
package picture
