// Package lab is the loss laboratory: does focal loss help on these data, with which gamma and alpha, and why? It trains
// and measures one network many times, with everything equal but what is compared: the experiments of Lin et al. 2017,
// "Focal Loss for Dense Object Detection", tables 1a to 1e, figures 1 and 3 to 6, and the appendices.
//
//	config + Variants (Losses, Density, Scales) x seeds -- Sweep.Run --> Results: a Row per variant and seed
//	a trained model + a dataset                         -- Inspect  --> View: where loss and gradient lie
//	Results + Views                                     -- Page     --> report.html, plots; Results.Markdown
//
// A cell is a variant with a seed, in a folder of its own. It is not trained twice, and one that was interrupted goes on
// from its checkpoint. Cells of one seed share initial weights (parameters are drawn by name) and the order of pictures,
// as far as their networks do; what differs is a variant's list of settings, which stands beside every result. The same
// settings, seed and threads give the same results to the bit.
package lab
