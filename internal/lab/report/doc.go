// Package report writes a report as one HTML file, which a browser shows without a network or other files.
//
//	Page -> Section -> Block: Text, List, Tiles, Table, Figures
//	                            Figures -> Plot (curves) or Bars, each an inline SVG
//
// Evaluation makes the page of an evaluation from package coco's numbers. Other pages use the blocks.
//
// Pages are light or dark as the reader's system is, fit 400 pixels of width as well as 1400, and print in the light
// colours. All text is escaped, by html/template or by the writer of the SVG: names of classes and files are a
// user's and may hold any text. Equal pages are equal files, byte for byte.
//
// gonum draws the plots (gonum.org/v1/plot), at a width that a telephone shows unscaled. For a dark screen the style sheet replaces their
// colours. The page has the legend, so that names wrap and never cover a curve.
package report
