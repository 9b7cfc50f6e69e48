import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;

/**
 * Works with the shop as programs do that use Hibernate.
 *
 * <p>DATABASE_URL=... App loop|fixed CLIENTS REQUESTS
 */
class App {
    public static void main(String[] args) throws Exception {
        if (args.length != 3 || !args[0].equals("loop") && !args[0].equals("fixed")) {
            System.err.println("usage: loop|fixed CLIENTS REQUESTS");
            System.exit(1);
        }
        int clients = Integer.parseInt(args[1]);
        int requests = Integer.parseInt(args[2]);
        boolean fixed = args[0].equals("fixed");
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try (SessionFactory factory = connect(clients)) {
            List<Future<?>> ended = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                int number = i;
                ended.add(threads.submit(() -> work(factory, number, requests, fixed)));
            }
            for (Future<?> one : ended) {
                one.get();
            }
        } finally {
            threads.shutdown();
        }
    }

    /** Returns a factory with as many connections as there are clients. */
    private static SessionFactory connect(int clients) {
        URI url = URI.create(System.getenv("DATABASE_URL"));
        String[] user = url.getUserInfo().split(":");
        return new Configuration()
            .addAnnotatedClass(User.class)
            .addAnnotatedClass(Order.class)
            .setProperty("hibernate.connection.url",
                "jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath() + "?sslmode=disable")
            .setProperty("hibernate.connection.username", user[0])
            .setProperty("hibernate.connection.password", user[1])
            .setProperty("hibernate.connection.pool_size", String.valueOf(clients))
            .buildSessionFactory();
    }

    /** Is the life of one client: one request after another without a pause. */
    private static void work(SessionFactory factory, int number, int requests, boolean fixed) {
        long first = factory.fromTransaction(s ->
            s.createNativeQuery("SELECT min(id) FROM accounts", Long.class).getSingleResult());
        for (int i = 0; i < requests; i++) {
            int at = number * 131 + i * 37;
            factory.inTransaction(s -> users(s, first - 1 + at % 480, fixed));
            factory.inTransaction(s -> orders(s, first - 1 + at % 2480, fixed));
        }
    }

    /** Shows a page of users with their orders. Its end is an id where a JOIN FETCH has more rows than users. */
    private static void users(Session s, long after, boolean fixed) {
        List<User> page;
        if (fixed) {
            page = s.createQuery("FROM User u LEFT JOIN FETCH u.orders WHERE u.id > :after AND u.id <= :after + 20 ORDER BY u.id", User.class)
                .setParameter("after", after).getResultList();
        } else {
            page = s.createQuery("FROM User u WHERE u.id > :after ORDER BY u.id", User.class)
                .setParameter("after", after).setMaxResults(20).getResultList();
        }
        for (User user : page) {
            for (Order order : user.getOrders()) {
                check(order.user.getId(), user.getEmail());
            }
        }
    }

    /** Shows a page of orders with their users. */
    private static void orders(Session s, long after, boolean fixed) {
        List<Order> page = s.createQuery(
                "FROM Order o " + (fixed ? "JOIN FETCH o.user " : "") + "WHERE o.id > :after ORDER BY o.id", Order.class)
            .setParameter("after", after).setMaxResults(20).getResultList();
        for (Order order : page) {
            String email = order.user.getEmail();
            check(order.user.getId(), email);
        }
    }

    private static void check(Long userId, String email) {
        if (!email.equals(userId + "@example.com")) {
            throw new IllegalStateException("user " + userId + ": got " + email);
        }
    }
}
