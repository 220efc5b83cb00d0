// Package source finds and reads what objects are to be found on.
//
//	names: pictures, folders, globs, lists, videos, cameras, streams -> Open -> Set.Frames -> one Frame after another
//
// Names are looked at only when it is their turn, so that a folder of a million files takes no more memory than their names.
// A Frame of a picture file has its path, and whoever takes it decodes it, many at once; one of a video has its pixels. A live
// source never waits: when nobody takes its frames, the oldest go. Live is one such source, or a video as if it were one.
package source
