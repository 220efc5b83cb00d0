// Package layers tests the map of packages in docs/design.md: that it is whole, that imports point downwards, and that packages which
// must stay free of gorgonia, C or OpenCV are.
package layers
