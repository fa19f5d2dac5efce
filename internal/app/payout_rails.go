package app

import (
	"context"
	"net/http"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// PayoutProvider is a rail that pays what it is asked to.
type PayoutProvider interface {
	// Send asks to pay the payments of a part, and gives the provider's id of it. Asked again with the same Reference
	// within 30 days it pays nothing twice. Errors: affiliate.ProviderError; any other one leaves open whether the
	// provider has it.
	Send(ctx context.Context, part affiliate.PaymentFile) (id string, err error)
	// Account tells the account that pays from others; it is kept as a hash.
	Account() string
	// Results says what became of a part that the provider has, under its id.
	Results(ctx context.Context, id string) (affiliate.PartResults, error)
	// Heard checks what the provider sends by itself, and gives the provider's id of the part that it is about; empty
	// where it is about none. Forbidden where it is not proven to come from the provider.
	Heard(ctx context.Context, header http.Header, body []byte) (id string, err error)
}

// PaymentFiles writes the files of a rail.
type PaymentFiles interface {
	// Write gives a file and what it is called. Made of the same it is the same, byte for byte. Errors name the payment
	// that cannot be in it.
	Write(affiliate.PaymentFile) (name string, body []byte, err error)
}

// PaymentNames are PaymentFiles that cannot have every name as it is.
type PaymentNames interface {
	// NameAs says how a name stands in the file.
	NameAs(name string) string
}

// NameInFile says how the files of a rail have a name: banks take few characters.
func (a *App) NameInFile(rail affiliate.Rail, name string) string {
	if files, some := a.PaymentFiles[rail].(PaymentNames); some {
		return files.NameAs(name)
	}
	return name
}

// ResultReader reads files in which a provider says what became of payments.
type ResultReader interface {
	// Kind says which files they are.
	Kind() affiliate.ResultKind
	// Read gives the results of a file in its order; Invalid where it is no such file.
	Read(name string, body []byte) ([]affiliate.PaymentResult, error)
}
