// Numbers that Go, C++ and CUDA share. Each stands here alone: C++ and CUDA include this header, Go's constants of the same meaning
// are compared with it by a test, which reads "NAME = number".
#ifndef RETINAGO_FORMULA_CONSTANTS_H
#define RETINAGO_FORMULA_CONSTANTS_H

// engine.ActivationKind
enum activation_kind { IDENTITY = 0, RECTIFIED = 1, SWISH = 2 };

// engine.ClassForm
enum class_form { FOCAL_STAR = 0, SOFTMAX = 1, QUALITY_FOCAL = 2, VARIFOCAL = 3 };

// engine.Overlap
enum overlap_kind { IOU = 0, LOG_IOU = 1, GIOU = 2, DIOU = 3, CIOU = 4 };

// Labels that are no class: loss.Background and loss.Ignored.
enum label { BACKGROUND = -1, IGNORED = -2 };

// Bounds of kernels: engine.MostLevels of a pyramid, engine.MostNearest candidates of a level for an object, engine.LossScaleMost.
enum bound { MOST_LEVELS = 8, MOST_NEAREST = 1024, MOST_LOSS_SCALE = 16777216 };

// Threads of a block, at most and on a GPU.
enum block { MOST_THREADS = 256 };

// Rows that hard negative mining takes.
enum mined_rows { ANY_ROW = 0, OBJECT_ROW = 1, BACKGROUND_ROW = 2 };

// Columns of a box that was found: x1, y1, x2, y2, score, class.
enum found_layout { FOUND_COLUMNS = 6 };

// Bins of the histogram of a radix selection.
enum selection_layout { DIGIT_BINS = 2048 };

// The largest dw and dh of a box's deltas, log(1000/16): anchors.Coder's Clamp.
#define BOX_CLAMP 4.1351666f

#endif
