package stats

// add adds what o holds: after it f is as if what was booked into o had been booked
// into f. Two things are bounded and so only nearly: which routes and which classes of
// errors are counted by themselves when there are more than fit.
func (f *Figures) add(o *Figures) {
	if succeeded := o.Calls - o.Errors - o.Cancelled; succeeded > 0 {
		if f.Calls == f.Errors+f.Cancelled || o.Min < f.Min {
			f.Min = o.Min
		}
	}
	f.Max, f.MaxWait = max(f.Max, o.Max), max(f.MaxWait, o.MaxWait)
	f.Calls += o.Calls
	f.Errors += o.Errors
	f.Cancelled += o.Cancelled
	f.Rows += o.Rows
	f.BytesIn += o.BytesIn
	f.BytesOut += o.BytesOut
	f.Gaps += o.Gaps
	f.Wait += o.Wait
	f.Gap += o.Gap
	f.Failed += o.Failed
	f.Latency.add(&o.Latency)
	f.Custom.add(o.Custom)
	f.Later.add(o.Later)
	f.OtherClasses += o.OtherClasses
	for _, c := range o.Classes {
		if c.Count > 0 {
			f.class(c.Class, c.Count)
		}
	}
	for _, r := range o.Routes {
		if r.Calls > 0 {
			f.route(r.Route, r.Calls)
		}
	}
	if o.Last.At > f.Last.At {
		f.Last = o.Last
	}
}

// add adds what o holds.
func (p *Planned) add(o Planned) {
	p.Calls += o.Calls
	p.Took += o.Took
}

// sub takes away what o holds, which f held at an earlier time. Of what cannot be taken
// away f keeps what it has: the shortest and longest time, the last slow sample.
func (f *Figures) sub(o *Figures) {
	f.Calls -= o.Calls
	f.Errors -= o.Errors
	f.Cancelled -= o.Cancelled
	f.Rows -= o.Rows
	f.BytesIn -= o.BytesIn
	f.BytesOut -= o.BytesOut
	f.Gaps -= o.Gaps
	f.Wait -= o.Wait
	f.Gap -= o.Gap
	f.Failed -= o.Failed
	f.Latency.sub(&o.Latency)
	f.Custom.Calls -= o.Custom.Calls
	f.Custom.Took -= o.Custom.Took
	f.Later.Calls -= o.Later.Calls
	f.Later.Took -= o.Later.Took
	f.OtherClasses -= o.OtherClasses
	for i := range f.Classes { // a class keeps its place
		f.Classes[i].Count -= o.Classes[i].Count
	}
	f.subRoutes(&o.Routes)
}

// subRoutes takes away earlier counts of the routes that are still in the sketch. Who
// has taken another's place since has at least its count.
func (f *Figures) subRoutes(old *[4]RouteCount) {
	for i := range f.Routes {
		for _, o := range old {
			if o.Route == f.Routes[i].Route {
				f.Routes[i].Calls -= o.Calls
			}
		}
	}
}
