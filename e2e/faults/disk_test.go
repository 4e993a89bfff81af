package faults

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/e2e/site"
	"berth/internal/sdkhttp"
)

// onDisks makes a network and replicas that keep the state on disks of their own.
func onDisks(t *testing.T, size int) (*site.Site, []*site.Disk) {
	t.Helper()
	var disks []*site.Disk
	for range size {
		disks = append(disks, site.NewDisk(t, 1024))
	}
	s := site.OpenWith(t, size, site.NewNetwork(t, size), func(r *site.Replica) {
		r.Data = filepath.Join(disks[r.Machine-1].Dir, "data")
	})
	return s, disks
}

// TestDisks is a cluster of three each of which has a disk that becomes slow, stands still, fails and is full, under clients and agents.
func TestDisks(t *testing.T) {
	t.Parallel()
	s, disks := onDisks(t, 3)
	endure(s, 1, []fault{
		{"the leader's disk is slow", func(s *site.Site) {
			end := disks[s.Leader().Machine-1].Slow(300 * time.Millisecond)
			goOn(s, s.Members)
			time.Sleep(2 * apart)
			end()
		}},
		{"the leader's disk stands still", func(s *site.Site) {
			leader := s.Leader()
			disk := disks[leader.Machine-1]
			disk.Freeze()
			goOn(s, s.Without(leader))
			leader.WaitUnready()
			answersWithAnError(s, leader)
			disk.Thaw()
		}},
		{"the leader's disk fails", func(s *site.Site) {
			leader := s.Leader()
			disk := disks[leader.Machine-1]
			disk.Break()
			goOn(s, s.Without(leader))
			leader.WaitEnded()
			disk.Repair()
			leader.Start()
		}},
		{"a follower's disk fails", func(s *site.Site) {
			follower := s.Without(s.Leader())[0]
			disk := disks[follower.Machine-1]
			disk.Break()
			follower.WaitEnded()
			goOn(s, s.Without(follower))
			disk.Repair()
			follower.Start()
		}},
		{"the leader's disk is full", func(s *site.Site) {
			leader := s.Leader()
			disk := disks[leader.Machine-1]
			disk.Fill(64)
			goOn(s, s.Without(leader))
			disk.Empty()
		}},
	})
}

// answersWithAnError asks a replica that cannot serve to read and to write: it says so, and does not leave its callers without an answer.
func answersWithAnError(s *site.Site, r *site.Replica) {
	s.T.Helper()
	_, err := r.Client().DescribeClusters(context.Background(), &awsecs.DescribeClustersInput{})
	saysWhy(s.T, "a read", err)
	client := sdkhttp.New()
	client.Timeout = 45 * time.Second // a commit is asked after for 25 s
	patient := func(o *awsecs.Options) { o.HTTPClient = client }
	_, err = r.Client().CreateCluster(context.Background(), &awsecs.CreateClusterInput{ClusterName: aws.String("default")}, patient)
	saysWhy(s.T, "a write", err)
}

func saysWhy(t testing.TB, what string, err error) {
	t.Helper()
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() < 500 {
		t.Errorf("%s is answered %v", what, err)
	}
	t.Logf("%s: %v", what, err)
}

// TestDisk is the same for one server, which can only say what is wrong, and go on when the disk does.
func TestDisk(t *testing.T) {
	t.Parallel()
	s, disks := onDisks(t, 1)
	server, disk := s.Members[0], disks[0]
	c := startCrowd(s)
	startFleet(server, 4, c.taken)
	definition := define(s)
	serve(s, definition, 6)
	c.work(definition, 1)
	time.Sleep(apart)

	end := disk.Slow(300 * time.Millisecond)
	server.WaitWritable()
	time.Sleep(2 * apart)
	server.WaitWritable()
	end()

	disk.Freeze()
	server.WaitUnready()
	answersWithAnError(s, server)
	disk.Thaw()
	server.WaitWritable()

	disk.Fill(300)
	refuses(server, "takes no new work")
	if _, err := server.Client().DeleteCluster(t.Context(), &awsecs.DeleteClusterInput{Cluster: aws.String("never-made")}); err == nil || !strings.Contains(err.Error(), "ClusterNotFound") {
		t.Errorf("a deletion on a rather full disk: %v", err)
	}
	disk.Fill(50)
	site.Eventually(t, "nothing is written", func() error {
		_, err := server.Client().DeleteCluster(t.Context(), &awsecs.DeleteClusterInput{Cluster: aws.String("never-made")})
		if err == nil || !strings.Contains(err.Error(), "It writes nothing until there is more space") {
			return fmt.Errorf("a deletion is answered %w", err)
		}
		return nil
	})
	disk.Fill(0)
	server.Kill()
	server.Start()
	site.Eventually(t, "a start on a full disk says what is missing", func() error {
		if log := server.Log(); !strings.Contains(log, "this replica leads and waits for room") && !strings.Contains(log, "the disk is full") {
			return errors.New("it does not")
		}
		return nil
	})
	disk.Empty()
	server.Restart()
	server.WaitReady()
	site.Eventually(t, "there is space again", func() error { return server.Write(context.Background(), "default") })

	disk.Break()
	server.WaitEnded()
	disk.Repair()
	server.Start()
	server.WaitReady()
	server.WaitWritable()
	c.finish()
}

// refuses waits until the server refuses a new cluster in such words.
func refuses(r *site.Replica, why string) {
	site.Eventually(r.T(), "new work is refused: "+why, func() error {
		err := r.Write(context.Background(), "one-more")
		if err == nil || !strings.Contains(err.Error(), why) {
			return fmt.Errorf("it is answered %w", err)
		}
		return nil
	})
}
