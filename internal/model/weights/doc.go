// Package weights reads and writes named tensors in the safetensors format, and reads files of other projects under retinago's names.
//
//	8 bytes          header length n, little-endian
//	n bytes          JSON: {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets": [begin, end]}, ...}
//	the rest         the tensors' bytes, without holes
//
// Open validates the whole header and reads no data; File.Tensor reads one tensor at a time and converts it to
// float32. Files are not trusted: a wrong length, offset, shape or name is an error that names the file and the tensor.
// Write is atomic: a file that exists stays as it is until the new one is complete on the disk. It adds checksums of the header and
// of every tensor to the metadata, and whatever reads a tensor compares them.
//
// See https://huggingface.co/docs/safetensors for the format.
package weights
