// Package fetch brings published files of weights onto the disk.
//
//	name --Find--> File{URL, SHA256} --Get--> a file whose bytes are those that were published
//
// A server is not trusted: lengths and ranges are only used to go on after a break, and the file gets its name
// when its SHA-256 is the one expected. What arrived before a break is kept and continued by the next attempt.
package fetch
