package infer

// stage runs f on what comes in, on as many as workers at once, and sends on what it returns in the order of what came. It
// holds workers results and one value that waits. The channel is closed when in is closed and all is sent on.
func stage[A, B any](in <-chan A, workers int, f func(A) B) <-chan B {
	queue := make(chan chan B, workers-1) // with the one that waits to be sent on, workers
	out := make(chan B)
	go func() {
		defer close(queue)
		for v := range in {
			done := make(chan B, 1)
			queue <- done
			go func() { done <- f(v) }()
		}
	}()
	go func() {
		defer close(out)
		for done := range queue {
			out <- <-done
		}
	}()
	return out
}
