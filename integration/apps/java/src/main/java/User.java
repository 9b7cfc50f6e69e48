import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.OneToMany;
import jakarta.persistence.Table;
import java.util.List;

/** Has orders. */
@Entity
@Table(name = "users")
class User {
    @Id
    Long id;
    String name;
    String email;

    @OneToMany(mappedBy = "user")
    List<Order> orders;

    List<Order> getOrders() {
        return orders;
    }

    Long getId() {
        return id;
    }

    String getEmail() {
        return email;
    }
}
