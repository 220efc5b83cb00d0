package speed

// Result is a measurement. Times are in seconds; they are medians over the rounds unless a field's comment says otherwise.
type Result struct {
	Network     string    `json:"network"`
	Mode        string    `json:"mode"` // "infer" or "train"
	Batch       int       `json:"batch"`
	Height      int       `json:"height"`
	Width       int       `json:"width"`
	Rounds      int       `json:"rounds"` // number of measured rounds; fewer than requested after an interruption
	MedianS     float64   `json:"median_s"`
	MinS        float64   `json:"min_s"`
	PeakRSSMB   float64   `json:"peak_rss_mb"` // of the process until the end of the last round
	ArenaMB     float64   `json:"arena_mb"`    // planned for activations and gradients
	GFLOP       float64   `json:"gflop"`
	GFLOPS      float64   `json:"gflop_per_s"`         // of the whole, by its median
	Peak        float64   `json:"peak_gflop_per_s"`    // multiply-adds in registers; 0 for a GPU, like the next two
	PeakProduct float64   `json:"product_gflop_per_s"` // a product of matrices through the engine
	OfPeak      float64   `json:"share_of_peak"`
	Peaks       []Peak    `json:"peaks,omitempty"`     // of a GPU
	DeviceMB    float64   `json:"device_mb,omitempty"` // peak memory of a GPU
	Machine     Machine   `json:"machine"`
	Seconds     []float64 `json:"seconds"` // of every round
	Stages      []Stage   `json:"stages"`
	Layers      []Layer   `json:"layers"` // in the order in which they run
}

// Machine describes the machine and the engine.
type Machine struct {
	CPU       string `json:"cpu"`
	Engine    string `json:"engine"`
	Precision string `json:"precision"`
	Threads   int    `json:"threads"`
	ISA       string `json:"isa"`               // of the CPU's kernels; empty for other engines, like Algorithm and OneDNN
	Algorithm string `json:"algorithm"`         // of convolutions
	Choices   string `json:"choices,omitempty"` // the file of measured ones
	OneDNN    string `json:"onednn"`
	Pictures  string `json:"pictures"`
	Go        string `json:"go"`
	System    string `json:"system"`
}

// Peak is a peak rate of the processor, and the network's share of it.
type Peak struct {
	Name   string  `json:"name"`
	GFLOPS float64 `json:"gflop_per_s"`
	Share  float64 `json:"share"`
}

// Stage is the time of one stage of the network.
type Stage struct {
	Name    string  `json:"name"`
	MedianS float64 `json:"median_s"`
	Share   float64 `json:"share"`
	GFLOP   float64 `json:"gflop"`
	GFLOPS  float64 `json:"gflop_per_s"`
}

// Layer is one operation.
type Layer struct {
	Name     string  `json:"name"`
	Op       string  `json:"op"`
	Backward bool    `json:"backward"`
	Stage    string  `json:"stage"`
	Shape    []int   `json:"shape"` // of the result
	MedianS  float64 `json:"median_s"`
	MinS     float64 `json:"min_s"`
	Share    float64 `json:"share"`
	GFLOP    float64 `json:"gflop"`
	GFLOPS   float64 `json:"gflop_per_s"`
}
