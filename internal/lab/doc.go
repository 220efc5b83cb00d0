// Package lab compares losses, anchors, sizes and any other settings: does focal loss help on a dataset, with which gamma and alpha, and
// why? It trains and evaluates one network many times and changes only the settings that are compared. Losses, Density and Scales are the
// experiments of Lin et al. 2017, "Focal Loss for Dense Object Detection": tables 1a to 1e, figures 1 and 3 to 6, and the appendices.
//
//	config + Variants (Losses, Density, Scales, Grid) x seeds -- Sweep.Run --> Results: a Row per variant and seed
//	a trained model + a dataset                               -- Inspect  --> View: where loss and gradient lie
//	Results + Views                                           -- Page     --> report.html, plots; Results.Markdown
//
// A cell is a variant with a seed. It has its own folder and is trained once; an interrupted cell continues from its checkpoint. Cells of
// one seed share the order of images and, where their networks have the same parameters, the initial weights: a parameter's weights are
// drawn by its name. Variants differ in their lists of settings, which stand beside every result. The same settings, seed and threads
// give the same results to the bit.
package lab
