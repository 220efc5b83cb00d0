// Package source finds and reads the images and videos in which objects are to be detected.
//
//	names: images, folders, globs, lists, addresses, videos, cameras, streams -> Open -> Set.Frames -> one Frame after another
//
// A name is expanded only when its turn comes, so that a folder of a million files takes no more memory than their names.
// A Frame of an image file has a path, and the receiver decodes many files at once; a frame of a video has pixels. A source in real time
// never waits: frames that are not taken in time are dropped, the oldest first. Capture is one such source.
package source
