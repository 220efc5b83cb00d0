// Package report writes one HTML file that needs nothing else: no network, no other file, no program but a browser.
//
//	Page -> Section -> Block: Text, List, Tiles, Table, Figures
//	                            Figures -> Plot (curves) or Bars, each an inline SVG
//
// Evaluation makes the page of an evaluation from package coco's numbers; the blocks serve any other.
//
// Pages are light or dark as the reader's system is, fit 400 pixels of width as well as 1400, and print in the light
// colours. All text goes through html/template or is escaped by the SVG's writer: names of classes and files are a
// user's and may hold anything. The same page is the same file, byte for byte.
//
// Plots are gonum's (gonum.org/v1/plot), drawn at a width that a telephone shows unscaled. A style sheet replaces their
// light colours in the dark; the legend is the page's, so that names wrap and never cover a curve.
package report
