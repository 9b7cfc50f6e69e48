package proxy

// This file is about COPY in the queue: what its data ends, and Syncs inside it.

// lateSync books a ReadyForQuery that answers a Sync of a COPY which had failed
// before the server read it.
func (o *owed) lateSync(status byte) {
	o.unsure--
	o.open = o.open && o.n > 0
	o.ready(status)
}

// copyStarted books a CopyInResponse. While it reads copy data the server takes
// no notice of Sync, so those that the client sent ahead of its data are not
// answered. Anything else that the client sent by now ends the copy: CopyDone and
// CopyFail in order, other messages in an error.
func (o *owed) copyStarted() {
	o.copying = true
	for o.n > 1 && o.at(1).kind() == oweSync {
		o.popSecond()
		o.eaten++
	}
	o.copyIn = o.n == 1
	for i := o.n - 1; o.eaten > 0 && i >= 0; i-- {
		if e := o.at(i).kind(); e != oweCopyEnd {
			o.open = !endsSeries(e) // the eaten Sync might have been the last

			return
		}
	}
}

// copyEnded books the end of a copy inside a query: the client's CopyDone has had
// its effect.
func (o *owed) copyEnded() {
	o.copying, o.eaten = false, 0
	if o.n > 1 && o.at(1).kind() == oweCopyEnd {
		o.popSecond()
	}
}

// popSecond takes off the entry behind the oldest.
func (o *owed) popSecond() {
	*o.at(1), *o.at(0) = *o.at(0), 0
	o.pop()
}

// dropCopyEnds strikes off the marks of CopyDone and CopyFail, which nothing
// answers, once all before them is answered.
func (o *owed) dropCopyEnds() {
	for o.n > 0 && o.at(0).kind() == oweCopyEnd {
		o.pop()
	}
}
