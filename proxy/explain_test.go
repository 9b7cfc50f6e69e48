package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/pgweir/pgweir/config"
)

// TestExplain: a slow statement's plan is in the log, without its values, and not again
// so soon; one that cannot be explained is told of.
func TestExplain(t *testing.T) {
	o := newOracleWith(t, func(c *config.Config) {
		c.Stats.SlowStatement, c.Stats.ExplainSlow, c.Stats.ExplainTimeout = time.Second, true, patience
	})
	o.do("INSERT INTO t VALUES (4711, 'x')")
	c := o.through(t)
	slowly := func(sql string) {
		c.send(query(sql))
		o.settle()
		o.step(5 * time.Second)
		c.until("Z")
	}
	for range 2 {
		slowly("SELECT x FROM t, pg_sleep(0.2) WHERE id = 4711")
	}
	slowly("SELECT INTERVAL '0 s' FROM pg_sleep(0.2)") // $1 cannot stand there
	o.eventually("both to be explained", func() bool {
		return o.logs.FilterMessage("slow statement cannot be explained").Len() == 1
	})
	plans := o.logs.FilterMessage("plan of a slow statement").All()
	if len(plans) != 1 {
		t.Fatalf("%d plans are in the log, want 1", len(plans))
	}
	plan, _ := plans[0].ContextMap()["plan"].(string)
	if !strings.Contains(plan, "on t") || strings.Contains(plan, "4711") {
		t.Errorf("the plan is\n%s\nwant one of t, without the value", plan)
	}
}
