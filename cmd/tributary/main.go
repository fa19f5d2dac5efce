// Command tributary is the whole product in one binary: the server with its receiver, worker and API, and the commands
// by which people set it up. "tributary help" lists them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones also where the machine has none
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends at once, whatever the first is waiting for
	code := run(ctx, commands(), terminal{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv},
		os.Args[1:])
	stop()
	os.Exit(code)
}

// commands are all commands, in the order in which help lists them.
func commands() []command {
	return []command{
		serveCommand(),
		demoCommand(),
		simulateCommand(),
		migrateCommand(),
		storeAddCommand(),
		storeConnectCommand(),
		storeListCommand(),
		storeSetCommand(),
		storeSecretCommand(),
		storeCheckCommand(),
		storeStatusesCommand(),
		storeDisconnectCommand(),
		storeHistoryCommand(),
		reconcileCommand(),
		storeEndCommand(),
		linkCheckCommand(),
		linkSetCommand(),
		importCommand(),
		exportConversionsCommand(),
		exportOrdersCommand(),
		exportLedgerCommand(),
		exportStatementCommand(),
		userAddCommand(),
		userChangeCommand(),
		userListCommand(),
		userPasswordCommand(),
		userSecondFactorCommand(),
		tokenAddCommand(),
		tokenListCommand(),
		tokenEndCommand(),
		settingsCommand(),
		payoutsDueCommand(),
		payoutsPreviewCommand(),
		payoutsSendCommand(),
		payoutsRunsCommand(),
		payoutsRunCommand(),
		payoutsFileCommand(),
		payoutsMarkCommand(),
		payoutsResultsCommand(),
		payoutsIssueCommand(),
		payoutsCancelCommand(),
		statementsIssueCommand(),
		statementsListCommand(),
		ratesUpdateCommand(),
		ratesShowCommand(),
		replayCommand(),
		deliveriesListCommand(),
		deliveriesSetAsideCommand(),
		deliveriesPutBackCommand(),
		reattributeCommand(),
		codesUnownedCommand(),
		codesAssignCommand(),
		membersAddCommand(),
		membersRemoveCommand(),
		membersActivateCommand(),
		membersDeactivateCommand(),
		membersCommissionCommand(),
		codesMakeCommand(),
		codesRefreshCommand(),
		codesActivateCommand(),
		codesDeactivateCommand(),
		codesEndCommand(),
		codesDiscountCommand(),
		codesTakeOverCommand(),
		codesRunsCommand(),
		codesInStoreCommand(),
		checkCommand(),
		versionCommand(),
	}
}
