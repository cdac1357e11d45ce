package interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.cometd.bayeux.Channel;
import org.cometd.bayeux.Message;
import org.cometd.bayeux.client.ClientSessionChannel;
import org.cometd.client.BayeuxClient;
import org.cometd.client.ext.AckExtension;
import org.cometd.client.http.jetty.JettyHttpClientTransport;
import org.eclipse.jetty.client.HttpClient;

/**
 * The CometD project's client for Java.
 *
 * Options: url, ack (true or false), and any option of BayeuxClient and its transport.
 */
public final class CometdClient {
    private final Map<String, ClientSessionChannel.MessageListener> wanted = new LinkedHashMap<>();
    private final AtomicBoolean again = new AtomicBoolean();
    private final BayeuxClient client;

    private CometdClient(BayeuxClient client) {
        this.client = client;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> options = Lines.options(arguments);
        HttpClient http = new HttpClient();
        http.start();
        Map<String, Object> settings = new HashMap<>(options);
        Object url = settings.remove("url");
        boolean ack = Boolean.TRUE.equals(settings.remove("ack"));
        BayeuxClient client = new BayeuxClient((String) url, new JettyHttpClientTransport(settings, http));
        Map.copyOf(settings).forEach(client::setOption);
        if (ack) {
            client.addExtension(new AckExtension());
        }
        CometdClient program = new CometdClient(client);
        program.watch();
        Lines.say("ready");
        Lines.obey(program.commands());
    }

    private void watch() {
        for (String meta : List.of(
                Channel.META_HANDSHAKE, Channel.META_CONNECT, Channel.META_SUBSCRIBE, Channel.META_UNSUBSCRIBE,
                Channel.META_DISCONNECT)) {
            client.getChannel(meta).addListener((ClientSessionChannel.MessageListener) (channel, message) -> say(message));
        }
        // Subscriptions are cleared by a new handshake, by design; the manual says to make them anew here.
        client.getChannel(Channel.META_HANDSHAKE)
                .addListener((ClientSessionChannel.MessageListener) (channel, message) -> {
                    if (message.isSuccessful() && again.getAndSet(true)) {
                        client.batch(() -> wanted.forEach((name, listener) -> client.getChannel(name).subscribe(listener)));
                    }
                });
    }

    private static void say(Message message) {
        List<Object> details = new ArrayList<>();
        message.forEach((name, value) -> {
            // A failed exchange brings the exception along, which is no JSON.
            if (!"failure".equals(name)) {
                details.add(name);
                details.add(value);
            }
        });
        Lines.say("reply", details.toArray());
    }

    private Map<String, Lines.Command> commands() {
        Map<String, Lines.Command> commands = new HashMap<>();
        commands.put("handshake", fields -> replyTo(done -> client.handshake(null, done::accept)));
        commands.put("subscribe", fields -> replyTo(done -> subscribe((String) fields.get("channel"), done)));
        commands.put("unsubscribe", fields -> {
            String name = (String) fields.get("channel");
            return replyTo(done -> client.getChannel(name).unsubscribe(wanted.remove(name), done::accept));
        });
        commands.put("publish", fields ->
                replyTo(done -> publish((String) fields.get("channel"), fields.get("data"), done)));
        commands.put("batch", fields -> {
            Object[] published = (Object[]) fields.get("publish");
            List<Object> replies = new ArrayList<>();
            CompletableFuture<Object> both = new CompletableFuture<>();
            Consumer<Message> done = message -> {
                replies.add(plain(message));
                if (replies.size() == 2) {
                    both.complete(replies);
                }
            };
            client.batch(() -> {
                subscribe((String) fields.get("subscribe"), done);
                publish((String) published[0], published[1], done);
            });
            return both;
        });
        commands.put("flood", fields -> {
            CompletableFuture<Object> all = CompletableFuture.completedFuture(null);
            for (long n = 0; n < ((Number) fields.get("count")).longValue(); ++n) {
                Map<String, Object> data = Map.of("n", n);
                all = all.thenCompose(
                        before -> replyTo(done -> publish((String) fields.get("channel"), data, done)));
            }
            return all.thenApply(last -> null);
        });
        commands.put("disconnect", fields -> replyTo(done -> client.disconnect(done::accept)));
        commands.put("status", fields -> status());
        return commands;
    }

    /** In the words of the JavaScript client. */
    private String status() {
        if (client.isHandshook() && client.isConnected()) {
            return "connected";
        }
        return client.isDisconnected() ? "disconnected" : "connecting";
    }

    private void subscribe(String name, Consumer<Message> done) {
        ClientSessionChannel.MessageListener listener = (channel, message) -> Lines.say(
                "event", "subscription", name, "channel", message.getChannel(), "data", message.getData());
        wanted.put(name, listener);
        client.getChannel(name).subscribe(listener, done::accept);
    }

    private void publish(String channel, Object data, Consumer<Message> done) {
        client.getChannel(channel).publish(data, message -> {
            say(message);
            done.accept(message);
        });
    }

    private static CompletableFuture<Object> replyTo(Consumer<Consumer<Message>> ask) {
        CompletableFuture<Object> reply = new CompletableFuture<>();
        ask.accept(message -> reply.complete(plain(message)));
        return reply;
    }

    private static Map<String, Object> plain(Message message) {
        Map<String, Object> found = new LinkedHashMap<>(message);
        found.remove("failure");
        return found;
    }
}
