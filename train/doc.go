// Package train runs the training loop: batches in, optimiser steps, and hooks for everything else.
//
//	data.Loader -> assign anchors (in the loader's workers) -> forward, losses, gradients -> clip -> optimiser
//	                                                              |
//	                                      hooks: progress, log, checkpoint, evaluation
//
// Run trains from a configuration. New and Loop.Run are its two halves. A Hook is called before a run, after each of its steps and after
// the run. A Stepper takes single steps on the caller's batches. Optimizers and Schedules list the names for a configuration.
//
// A run lives in one folder: config.yaml as resolved, log.jsonl, last.safetensors and best.safetensors (models,
// complete for evaluation and detection), last.state.safetensors (everything that resuming needs). A run that is
// interrupted and resumed takes the same steps as one that is not.
package train
