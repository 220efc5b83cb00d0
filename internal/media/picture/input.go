package picture

// Input describes the input of a network: values (value/255 - Mean)/Std by channel.
type Input struct {
	Mean, Std [3]float32
	Threads   int // that share the rows; 0 is one
}

// Factors returns, for each channel, the factor of a byte and the constant to add.
func (in Input) Factors() (scale, shift [3]float32) {
	for c := range scale {
		scale[c] = 1 / (255 * in.Std[c])
		shift[c] = -in.Mean[c] / in.Std[c]
	}
	return scale, shift
}
