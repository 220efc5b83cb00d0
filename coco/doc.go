// Package coco reads, checks, repairs, writes and evaluates object detection data in COCO's JSON format.
//
//	instances.json --Load--> *Dataset --Index--> images -> annotations, category id -> class
//	                            |  \--Check--> []Problem     \--Fix--> repaired copy, Report
//	results.json --LoadResults--> []Detection
//	                            |--Evaluate--> *Result: the twelve COCO numbers
//	                            |--ByScore--> *ScoreCurves: precision, recall and F1 from each score on
//	                            \--Analyse--> *Errors: kinds of errors, confusion
//
// Load streams: a 450 MB file needs little more memory than what it keeps. Errors of structure (truncated
// text, wrong types, missing keys) fail Load; faults of the data (unknown ids, boxes that are empty, outside
// or not finite) are loaded, named by Check and repaired by Fix.
//
// Boxes are COCO's [x, y, width, height] in pixels, float64. Ids may have gaps and may start at 0.
//
// Evaluate follows pycocotools (github.com/cocodataset/cocoapi, cocoeval.py and maskApi.c) operation for
// operation in float64. Its arrays have the dimensions of pycocotools:
//
//	Precision, Scores [T,R,K,A,M]   Recall [T,K,A,M]
//	T IoU thresholds (10)  R recall points (101)  K classes  A areas (all small medium large)  M limits (1 10 100)
//
// and -1 wherever there is nothing to find.
package coco
