// Colours in float32. Include exp.h before.
#ifndef RETINAGO_FORMULA_COLOUR_H
#define RETINAGO_FORMULA_COLOUR_H

// gamma_of is 255*(v/255)^gamma for v in [0, 255] and a gamma above 0.
FORMULA float gamma_of(float v, float gamma) {
  float p = 255 * exp_of(gamma * log_of(v * (1 / 255.f)));
  return v > 0 ? p : 0;
}

#endif
