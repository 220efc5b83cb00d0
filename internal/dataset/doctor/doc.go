// Package doctor examines a dataset before it is used. Training, evaluation and `data check` ask the same functions, so that what one of
// them refuses the others refuse with the same words.
//
//	coco.Dataset, folder of images --examine--> findings, one by one
//	                                 --Look-----> Report: what stops, what warns
//	                                 --Repair---> a copy without what is faulty, and what was changed
//
// A finding is a coco.Problem. An error stops training and evaluation, a warning lets them go on, an info is worth knowing. What would
// spoil a run without making it impossible (ignorable) stops it unless the user asks to go on.
//
// The headers of the images are read once, in parallel. Their sizes are kept in the user's cache folder, by path, size and time of
// modification (Headers).
package doctor
