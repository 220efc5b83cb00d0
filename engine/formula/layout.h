// Structures in a GPU's memory that engine/cuda writes or reads and kernels compute with.
#ifndef RETINAGO_FORMULA_LAYOUT_H
#define RETINAGO_FORMULA_LAYOUT_H

typedef long long i64;
typedef unsigned long long u64;

// A parameter's tensors, by address; 0 is none. Without m it has an average alone.
struct slot {
  i64 w, m, v, average;
  float decay, rate;
};

// A piece of a parameter, the work of one block at a time.
struct chunk {
  i64 slot, from, n;
};

// What a step comes to. The first are reported to the host.
struct step_state {
  double class_loss, box_loss, norm;
  double finite;         // all three are, or the step is skipped
  double taken;          // steps that changed something
  double place, label;   // of a label that is no class; place is -1 where all are
  double skipped;        // gradients were not finite and the loss scale was above 1
  double good;           // steps since the loss scale changed
  double loss_scale;     // after the step
  double go;             // this step changes something
  double halted;         // one did not, nor will any
  double scale;          // of the gradients: clipping, and the way back from the loss scale
  double step, root;     // Adam's bias corrections
  double power1, power2; // beta to the number of steps
};

// What is wanted of an image, 8 words.
struct choice {
  int top, most, agnostic, by_class; // by_class: it has rows in the table of classes
  float floor, iou, w, h;
};

// How far the selection of a segment is.
struct selection {
  u64 edge; // the key that is not exceeded, or its digits so far
  int left; // of those with these digits, how many are wanted
  int sure; // how many have lower ones
  int done, found;
};

// Anchors of each level: first and number.
struct span {
  int first, anchors;
};

// A box of NMS, with its area and class.
struct object {
  float x1, y1, x2, y2, area;
  int label;
};

// An object, or a crowd region; 8 words. Those of an image are in order, its crowd regions after its objects.
struct target {
  float x1, y1, x2, y2, area;
  int label, crowd, unused;
};

// The columns x1 to x2 and rows y1 to y2 of a canvas, without the last: engine.Area.
struct area {
  int x1, y1, x2, y2;
};

// What is drawn onto a canvas: engine.Canvas, with the first of its layers and areas, and the first behind them.
struct canvas {
  int layer, layers_end, fill, fill_end;
  float scale[3], shift[3];
};

// An image on a canvas: engine.Layer.
struct layer {
  i64 pixels; // where its bytes [h, w, 3] begin
  i64 map[6];
  double step_x, start_x, step_y, start_y;
  struct area area;
  int w, h, mirror_x, mirror_y;
  int mapped, recoloured; // map, or colour and gamma, are in use
  float colour[12], gamma, weight;
};

#endif
