// Package picture reads, writes, scales and draws on pictures.
//
//	file -> check -> decode -> upright RGB Picture [H,W,3] uint8
//	Picture -> Input.Fill -> float32 canvas [h,w,3]
//
// With the build tag opencv, libjpeg-turbo decodes JPEGs, Go's packages GIF and lossless WebP, and OpenCV the other formats. With the
// tag libjpeg alone, libjpeg-turbo decodes JPEGs and Go's packages all else; without either, Go's packages decode everything. The header
// gives a bound of memory and work; a picture beyond MaxMemory or the limit of work is refused before it is decoded.
//
// Every kind of file comes out as 8-bit RGB: grey is repeated, CMYK converted, 16 bits cut to 8, transparency dropped.
// EXIF rotation is applied. A file that is cut or corrupt is an error, never half a picture. No C++ exception and no panic of
// a decoder leaves the package; it and video are the only ones that import gocv.
package picture
