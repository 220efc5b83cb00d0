// Package box is the one box type of the project: corners x1, y1, x2, y2 in float32 pixels, half-open, no +1.
package box
