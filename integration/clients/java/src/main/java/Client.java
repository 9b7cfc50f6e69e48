import java.io.StringReader;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Objects;
import org.postgresql.PGConnection;

/** Does with pgjdbc what applications do with it. */
class Client {
    private static void check(String what, Object got, Object want) {
        if (!Objects.equals(got, want)) {
            throw new IllegalStateException(what + ": got " + got + ", want " + want);
        }
    }

    private static Object one(Connection c, String sql) throws SQLException {
        try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
            r.next();
            return r.getObject(1);
        }
    }

    /** A piece of work that is to fail. */
    private interface Work {
        void run() throws SQLException;
    }

    private static void fails(String what, Work work, String state) {
        String got = "none";
        try {
            work.run();
        } catch (SQLException e) {
            got = e.getSQLState();
        }
        check(what, got, state);
    }

    public static void main(String[] args) throws Exception {
        URI url = URI.create(System.getenv("DATABASE_URL"));
        String[] user = url.getUserInfo().split(":");
        String jdbc = "jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath() + "?sslmode=disable";
        for (String more : new String[] {"", "&autosave=always", "&preferQueryMode=simple", "&prepareThreshold=1"}) {
            try (Connection c = DriverManager.getConnection(jdbc + more, user[0], user[1])) {
                run(c);
            } catch (Exception e) {
                System.err.println("pgjdbc" + more + ": " + e);
                e.printStackTrace();
                System.exit(1);
            }
        }
    }

    private static void run(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.execute("DROP TABLE IF EXISTS items");
            s.execute("CREATE TABLE items (id serial PRIMARY KEY, name text UNIQUE)");
            s.execute("ALTER TABLE items ADD tags text[], ADD doc jsonb");
        }
        transactions(c);
        prepared(c);
        types(c);
        check("rows copied", ((PGConnection) c).getCopyAPI()
            .copyIn("COPY items (name) FROM STDIN", new StringReader("one\ntwo\nthree\n")), 3L);
        fetch(c);
        errors(c);
    }

    private static void transactions(Connection c) throws SQLException {
        c.setAutoCommit(false);
        try (PreparedStatement insert = c.prepareStatement("INSERT INTO items (name) VALUES (?)")) {
            insert.setString(1, "kept");
            insert.executeUpdate();
            Savepoint point = c.setSavepoint();
            insert.setString(1, "gone");
            insert.executeUpdate();
            c.rollback(point);
            for (int i = 0; i < 100; i++) {
                insert.setString(1, "batch " + i);
                insert.addBatch();
            }
            check("batch", Arrays.stream(insert.executeBatch()).sum(), 100);
            c.commit();
        }
        c.setAutoCommit(true);
        check("rows after a rollback", one(c, "SELECT count(*) FROM items"), 101L);
    }

    private static void prepared(Connection c) throws SQLException {
        try (PreparedStatement s = c.prepareStatement("SELECT ?::int + 1")) {
            for (int i = 0; i < 30; i++) { // from the fifth on it has a name
                s.setInt(1, i);
                try (ResultSet r = s.executeQuery()) {
                    r.next();
                    check("prepared", r.getInt(1), i + 1);
                }
            }
        }
    }

    private static void types(Connection c) throws SQLException {
        String sql = "UPDATE items SET tags = ?, doc = ?::jsonb WHERE name = 'kept' RETURNING tags, doc->>'size'";
        try (PreparedStatement s = c.prepareStatement(sql)) {
            s.setArray(1, c.createArrayOf("text", new String[] {"a", "b c"}));
            s.setString(2, "{\"size\": 3}");
            try (ResultSet r = s.executeQuery()) {
                r.next();
                check("array", Arrays.asList((String[]) r.getArray(1).getArray()), Arrays.asList("a", "b c"));
                check("JSON", r.getString(2), "3");
            }
        }
    }

    /** Reads by portions, from a portal that stays open in its transaction. */
    private static void fetch(Connection c) throws SQLException {
        c.setAutoCommit(false);
        try (Statement s = c.createStatement()) {
            s.setFetchSize(10);
            int sum = 0;
            try (ResultSet r = s.executeQuery("SELECT generate_series(1, 1000)")) {
                while (r.next()) {
                    sum += r.getInt(1);
                }
            }
            check("cursor", sum, 500500);
        }
        c.commit();
        c.setAutoCommit(true);
    }

    private static void errors(Connection c) throws SQLException {
        fails("duplicate", () -> one(c, "INSERT INTO items (name) VALUES ('kept') RETURNING id"), "23505");
        check("after an error", one(c, "SELECT 42"), 42);
        try (Statement s = c.createStatement()) {
            s.setQueryTimeout(1); // ends in a cancel request
            fails("timeout", () -> s.execute("SELECT pg_sleep(30)"), "57014");
        }
        check("after a timeout", one(c, "SELECT 1"), 1);
        c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        check("isolation", one(c, "SHOW transaction_isolation"), "serializable");
        c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    }
}
