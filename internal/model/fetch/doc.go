// Package fetch downloads published files of weights.
//
//	name --Find--> File{URL, SHA256} --Get--> a file whose bytes are those that were published
//
// A server is not trusted: lengths and ranges are only used to resume an interrupted download, and the file gets its name only
// if its SHA-256 is the expected one. The bytes that arrived before an interruption are kept, and the next attempt continues after them.
package fetch
