package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	berthapi "berth/internal/api/berth"
	"berth/internal/ecs"
)

// quotas are those that --quota sets, as NAME=VALUE and with commas between them. What is not set is as on AWS.
type quotas struct{ ecs.Quotas }

func (q *quotas) String() string {
	var set []string
	for _, one := range q.List() {
		if one.Adjustable && one.Value != one.Default {
			set = append(set, fmt.Sprintf("%s=%d", one.Name, one.Value))
		}
	}
	return strings.Join(set, ",")
}

// Set takes in one or several. The one that has a flag of its own has it alone, so that each is remembered once.
func (q *quotas) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(one, "=")
		switch {
		case text == "":
			return nil
		case !ok:
			return fmt.Errorf("%q is not NAME=VALUE", one)
		case name == "tasks-per-service":
			return errors.New("that quota has a flag of its own, --tasks-per-service")
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("the quota %s: %q is no number", name, value)
		}
		if err := q.Quotas.Set(name, n); err != nil {
			return err
		}
	}
	return nil
}

// Type is what the flag's help calls its value.
func (q *quotas) Type() string { return "NAME=VALUE" }

// all are the quotas of every flag.
func (l *limits) all() ecs.Quotas {
	q := l.quotas.Quotas
	q.TasksPerService = l.tasksPerService
	return q
}

func quotasCommand() *cobra.Command {
	var data, format string
	c := &cobra.Command{
		Use: "quotas", Short: "Show the quotas of the installation", Args: cobra.NoArgs,
		Long: `Show the quotas of the installation: what holds, and what ECS's default is. The adjustable ones are set where the server is started, with
--quota NAME=VALUE and --tasks-per-service; give them to every replica, for those of the one that leads hold.`,
		Example: "  berth server --quota clusters=20000 --quota services-per-cluster=10000\n  berth quotas --output json",
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := openClient(data)
			if err != nil {
				return err
			}
			var out berthapi.ListQuotasOutput
			if err := k.call(c.Context(), "ListQuotas", berthapi.ListQuotasInput{}, &out); err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(out.Quotas)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "QUOTA\tVALUE\tDEFAULT\tADJUSTABLE\tOF")
			for _, q := range out.Quotas {
				adjustable := "no"
				if q.Adjustable {
					adjustable = "yes"
				}
				fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", q.Name, q.Value, q.Default, adjustable, q.Description)
			}
			return w.Flush()
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	return c
}
