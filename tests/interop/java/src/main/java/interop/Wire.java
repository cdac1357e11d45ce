package interop;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Promise;

/**
 * What passes over HTTP, seen from outside of the Bayeux library: it cannot be mistaken about itself. See wire.js.
 *
 * A request is read before the library sees it; of a response a copy is kept.
 */
final class Wire extends Handler.Wrapper {
    private final String path;
    private final AtomicInteger exchanges = new AtomicInteger();

    /** The next response with an event is cut off on its way. */
    final AtomicBoolean losing = new AtomicBoolean();

    /** Of a path; what comes on others is not looked at. */
    Wire(String path, Handler handler) {
        super(handler);
        this.path = path;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        if (!Request.getPathInContext(request).startsWith(path)) {
            return super.handle(request, response, callback);
        }
        Content.Source.asByteBuffer(
                request, Promise.from(body -> proceed(request, body, response, callback), callback::failed));
        return true;
    }

    private void proceed(Request request, ByteBuffer body, Response response, Callback callback) {
        int exchange = exchanges.incrementAndGet();
        Lines.say(
                "request", "exchange", exchange, "at", System.currentTimeMillis(),
                "messages", Lines.parse(BufferUtil.toString(body, StandardCharsets.UTF_8)));
        Kept kept = new Kept(request, response);
        Callback over = Callback.from(
                () -> {
                    kept.tell(exchange, true);
                    callback.succeeded();
                },
                problem -> {
                    kept.tell(exchange, false);
                    callback.failed(problem);
                });
        try {
            if (!super.handle(new Read(request, body), kept, over)) {
                Response.writeError(request, kept, over, 404);
            }
        } catch (Exception problem) {
            over.failed(problem);
        }
    }

    private static final class Read extends Request.Wrapper {
        private Content.Chunk next;

        Read(Request request, ByteBuffer body) {
            super(request);
            next = Content.Chunk.from(body, true);
        }

        @Override
        public synchronized Content.Chunk read() {
            Content.Chunk chunk = next;
            next = Content.Chunk.next(chunk);
            return chunk;
        }

        @Override
        public void demand(Runnable callback) {
            getContext().execute(callback);
        }
    }

    private final class Kept extends Response.Wrapper {
        private final ByteArrayOutputStream text = new ByteArrayOutputStream();
        private long answeredAt;

        Kept(Request request, Response response) {
            super(request, response);
        }

        @Override
        public void write(boolean last, ByteBuffer content, Callback callback) {
            if (content != null) {
                byte[] bytes = BufferUtil.toArray(content);
                text.writeBytes(bytes);
                if (new String(bytes, StandardCharsets.UTF_8).contains("\"data\"") && losing.compareAndSet(true, false)) {
                    Lines.say("lost");
                    getRequest().getConnectionMetaData().getConnection().getEndPoint().close();
                    callback.failed(new IOException("lost on its way"));
                    return;
                }
            }
            if (last) {
                // Before it leaves: on a busy machine the end comes milliseconds after the client has it.
                answeredAt = System.currentTimeMillis();
            }
            super.write(last, content, callback);
        }

        void tell(int exchange, boolean complete) {
            Lines.say(
                    "response",
                    "exchange", exchange,
                    "at", answeredAt == 0 ? System.currentTimeMillis() : answeredAt,
                    "status", getStatus(),
                    "complete", complete,
                    "messages", Lines.parse(text.toString(StandardCharsets.UTF_8)));
        }
    }
}
