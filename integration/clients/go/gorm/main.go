// Command gorm does with GORM what applications do with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// An Author has written books.
type Author struct {
	ID    uint
	Name  string `gorm:"uniqueIndex"`
	Books []Book
}

// A Book has one author.
type Book struct {
	ID       uint
	AuthorID uint
	Title    string
	Details  map[string]int `gorm:"serializer:json;type:jsonb"`
}

func main() {
	for _, prepare := range []bool{false, true} {
		if err := run(os.Getenv("DATABASE_URL"), prepare); err != nil {
			fmt.Fprintf(os.Stderr, "GORM, PrepareStmt %v: %v\n", prepare, err)
			os.Exit(1)
		}
	}
}

// run works with GORM's own cache of prepared statements, or without.
func run(url string, prepare bool) error {
	db, err := gorm.Open(postgres.Open(url), &gorm.Config{
		PrepareStmt: prepare, TranslateError: true, Logger: logger.Default.LogMode(logger.Silent),
	})
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(5)
	for _, step := range []func(*gorm.DB) error{migrate, create, find, transaction, failAndGoOn, timeout} {
		if err := step(db); err != nil {
			return err
		}
	}

	return nil
}

// check compares an answer.
func check[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}

	return nil
}

// migrate makes the tables, and finds nothing to do the second time.
func migrate(db *gorm.DB) error {
	return errors.Join(db.Migrator().DropTable(&Book{}, &Author{}),
		db.AutoMigrate(&Author{}, &Book{}), db.AutoMigrate(&Author{}, &Book{}))
}

// create inserts authors with books.
func create(db *gorm.DB) error {
	for i := range 20 {
		a := Author{Name: fmt.Sprint("author ", i), Books: []Book{
			{Title: "first", Details: map[string]int{"pages": i}}, {Title: "second"},
		}}
		if err := db.Create(&a).Error; err != nil {
			return err
		}
	}

	return nil
}

// find reads them back, with their books.
func find(db *gorm.DB) error {
	for i := range 20 {
		var a Author
		err := db.Preload("Books", func(tx *gorm.DB) *gorm.DB { return tx.Order("id") }).
			First(&a, "name = ?", fmt.Sprint("author ", i)).Error
		if err := errors.Join(err, check("books", len(a.Books), 2)); err != nil {
			return err
		}
		if err := check("JSON", a.Books[0].Details["pages"], i); err != nil {
			return err
		}
	}

	return nil
}

// transaction rolls one back to a savepoint, and one as a whole.
func transaction(db *gorm.DB) error {
	undo := errors.New("undo")
	err := db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&Author{Name: "kept"}).Error; err != nil {
			return err
		}
		inner := tx.Transaction(func(tx *gorm.DB) error {
			return errors.Join(tx.Create(&Author{Name: "gone"}).Error, undo)
		})
		if !errors.Is(inner, undo) {
			return inner
		}

		return nil
	})
	if err != nil {
		return err
	}
	var n int64
	err = db.Model(&Author{}).Count(&n).Error

	return errors.Join(err, check("authors", n, 21))
}

// failAndGoOn has a statement fail and goes on.
func failAndGoOn(db *gorm.DB) error {
	if err := db.Create(&Author{Name: "kept"}).Error; !errors.Is(err, gorm.ErrDuplicatedKey) {
		return fmt.Errorf("duplicate: got %w, want %w", err, gorm.ErrDuplicatedKey)
	}
	var n int
	err := db.Raw("SELECT ?::int", 42).Scan(&n).Error

	return errors.Join(err, check("after an error", n, 42))
}

// timeout has the driver give a query up.
func timeout(db *gorm.DB) error {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := db.WithContext(ctx).Exec("SELECT pg_sleep(30)").Error; err == nil {
		return errors.New("a query of 30 s has ended within 200 ms")
	}
	var n int
	err := db.Raw("SELECT 1").Scan(&n).Error

	return errors.Join(err, check("after a timeout", n, 1))
}
