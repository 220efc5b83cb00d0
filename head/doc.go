// Package head builds RetinaNet's two subnets, shared over the pyramid's levels (Lin et al. 2017, figure 3c, d).
//
//	P [N,h,w,F] -(3x3, norm, ReLU) x Depth- 3x3 -> class logits [N,h,w,A*K], channel a*K+k; K+1 with a background
//	P [N,h,w,F] -(3x3, norm, ReLU) x Depth- 3x3 -> box deltas   [N,h,w,A*4], channel a*4+i
package head
