// Package picture decodes, encodes, scales and draws on images. A Picture is a decoded image.
//
//	file -> check -> decode -> upright RGB Picture [H,W,3] uint8
//	Picture -> Filter -> Input.Draw -> float32 canvas [h,w,3]
//
// With the build tag opencv, libjpeg-turbo decodes JPEGs, Go's packages GIF and lossless WebP, and OpenCV the other formats. With the
// tag libjpeg alone, libjpeg-turbo decodes JPEGs and Go's packages all else; without either, Go's packages decode everything. The header
// gives an upper bound of memory and work; an image above MaxMemory or the limit of work is refused before it is decoded.
//
// Every kind of file comes out as 8-bit RGB: grey is repeated, CMYK converted, 16 bits cut to 8, transparency dropped.
// EXIF rotation is applied. A truncated or corrupt file is an error, never a part of an image. No C++ exception and no panic of
// a decoder leaves the package; only it and package video import gocv.
package picture
