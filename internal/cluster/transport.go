package cluster

// Transport moves bytes between processes. Every process makes the same calls in the same order, one at a time.
type Transport interface {
	// Name returns the name and the version of what moves the bytes.
	Name() string
	// Rank is the number of this process, from 0 to Size()-1.
	Rank() int
	Size() int
	// Exchange sends send[p] to process p and fills recv[p] with what process p sends to this one, for every other process p. The lengths
	// of both sides must be equal, and below 2 GiB. Entries of this process itself are not read.
	Exchange(send, recv [][]byte) error
	// Abort ends all processes, this one included, without waiting for them. The exit code of the run is code where the launcher can pass
	// it on, and not 0 in any case.
	Abort(code int)
	// Close ends the connection. All processes call it when their last exchange is done.
	Close() error
}
