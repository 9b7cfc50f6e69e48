// Command gorm works with the shop as programs do that use GORM.
//
//	DATABASE_URL=... gorm loop|fixed CLIENTS REQUESTS
//
// Each client has a connection of its own and does one request after another, without a
// pause.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// A User has orders.
type User struct {
	ID     int64
	Name   string
	Email  string
	Orders []Order
}

// An Order is one user's.
type Order struct {
	ID     int64
	UserID int64
	User   User
	Total  int64
}

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run reads the arguments and has the clients work at the same time.
func run(args []string) error {
	if len(args) != 4 || args[1] != "loop" && args[1] != "fixed" {
		return errors.New("usage: gorm loop|fixed CLIENTS REQUESTS")
	}
	clients, err := strconv.Atoi(args[2])
	requests, err2 := strconv.Atoi(args[3])
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	ended := make(chan error, clients)
	for i := range clients {
		go func() { ended <- work(i, requests, args[1] == "fixed") }()
	}
	for range clients {
		err = errors.Join(err, <-ended)
	}

	return err
}

// work is the life of one client.
func work(number, requests int, fixed bool) error {
	db, err := gorm.Open(postgres.Open(os.Getenv("DATABASE_URL")), &gorm.Config{Logger: logger.Default.LogMode(logger.Silent)})
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	var first int64
	if err := db.Table("accounts").Select("min(id)").Scan(&first).Error; err != nil {
		return err
	}
	for i := range requests {
		at := number*131 + i*37
		err := errors.Join(users(db, first-1+int64(at%480), fixed), orders(db, first-1+int64(at%2480), fixed))
		if err != nil {
			return fmt.Errorf("client %d, request %d: %w", number, i, err)
		}
	}

	return nil
}

// users shows a page of users with their orders.
func users(db *gorm.DB, after int64, fixed bool) error {
	tx := db
	if fixed {
		tx = tx.Preload("Orders")
	}
	var page []User
	if err := tx.Where("id > ?", after).Order("id").Limit(20).Find(&page).Error; err != nil {
		return err
	}
	for i := range page {
		u := &page[i]
		if !fixed {
			if err := db.Model(u).Association("Orders").Find(&u.Orders); err != nil {
				return err
			}
		}
		for _, o := range u.Orders {
			if err := check(o.UserID, u); err != nil {
				return err
			}
		}
	}

	return nil
}

// orders shows a page of orders with their users.
func orders(db *gorm.DB, after int64, fixed bool) error {
	tx := db
	if fixed {
		tx = tx.Preload("User")
	}
	var page []Order
	if err := tx.Where("id > ?", after).Order("id").Limit(20).Find(&page).Error; err != nil {
		return err
	}
	for i := range page {
		o := &page[i]
		if !fixed {
			if err := db.First(&o.User, o.UserID).Error; err != nil {
				return err
			}
		}
		if err := check(o.UserID, &o.User); err != nil {
			return err
		}
	}

	return nil
}

// check compares what came with what belongs to a user.
func check(id int64, u *User) error {
	if want := fmt.Sprintf("%d@example.com", id); u.Email != want {
		return fmt.Errorf("user %d: got %q, want %q", id, u.Email, want)
	}

	return nil
}
