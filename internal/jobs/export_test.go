package jobs

import (
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TakeAll is takeAll for tests.
func (w *StoreWorker) TakeAll(due []affiliate.StoreID) []affiliate.StoreID { return w.takeAll(due) }

// Leave is leave for tests.
func (w *StoreWorker) Leave(id affiliate.StoreID) { w.leave(id) }

// TurnOver says whether a turn is over that has lasted for some time.
func (w *StoreWorker) TurnOver(lasted time.Duration) bool {
	return w.turn(func() time.Duration { return lasted })()
}
