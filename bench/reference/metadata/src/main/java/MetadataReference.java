import com.github._1c_syntax.bsl.mdclasses.MDCReadSettings;
import com.github._1c_syntax.bsl.mdclasses.MDClass;
import com.github._1c_syntax.bsl.mdclasses.MDClasses;
import com.github._1c_syntax.bsl.mdo.*;
import com.github._1c_syntax.bsl.mdo.Module;
import com.github._1c_syntax.bsl.mdo.children.StandardAttribute;
import com.github._1c_syntax.bsl.mdo.storage.DataCompositionSchema;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Prints one JSON object: by category, the full names of all that mdclasses finds in a configuration.
 * Standard attributes, which it synthesises, are left out.
 */
public final class MetadataReference {
  private final Map<String, List<String>> found = new TreeMap<>();

  public static void main(String[] args) {
    var reference = new MetadataReference();
    var folder = Path.of(args[0]);
    var settings = MDCReadSettings.builder().skipSupport(true).build();
    var started = System.nanoTime();
    var root = args.length > 1 && args[1].equals("external")
      ? MDClasses.createExternalSource(folder)
      : MDClasses.createConfiguration(folder, settings);
    reference.add("root", root);
    reference.milliseconds((System.nanoTime() - started) / 1_000_000);
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    out.println(reference.json());
    out.flush();
  }

  private void milliseconds(long value) {
    put("milliseconds", Long.toString(value));
  }

  private void put(String category, String name) {
    found.computeIfAbsent(category, key -> new ArrayList<>()).add(name);
  }

  private void add(String category, MDClass root) {
    put("Configuration", root.getMdoRef());
    modules(root);
    for (MD child : root.getChildren()) {
      child(child);
    }
  }

  private void child(MD md) {
    if (md instanceof StandardAttribute) {
      return;
    }
    var ref = md.getMdoRef();
    put(md.getClass().getSimpleName(), ref);
    if (!md.getUuid().isEmpty()) {
      put("uuid", ref + " " + md.getUuid().toLowerCase());
    }
    if (md instanceof ModuleOwner owner) {
      modules(owner);
    }
    if (md instanceof Form form) {
      form(ref, form);
    }
    if (md instanceof Template template && template.getData() instanceof DataCompositionSchema schema) {
      for (var dataSet : schema.getPlainDataSets()) {
        put("DataSet", ref + " " + dataSet.name());
        if (!dataSet.querySource().textQuery().isEmpty()) {
          put("DataSetQuery", ref + " " + dataSet.name());
        }
        dataSet.fields().forEach(field -> put("DataSetField", ref + " " + dataSet.name() + " " + field.dataPath()));
      }
    }
    if (md instanceof ValueTypeOwner owner && !owner.getValueType().isEmpty()) {
      put("Types", ref + " " + owner.getValueType().getTypes().stream().map(t -> t.nameEn()).sorted()
        .collect(Collectors.joining(" ")));
    }
    links(ref, md);
    if (md instanceof ChildrenOwner owner) {
      owner.getChildren().forEach(this::child);
    }
  }

  private void modules(ModuleOwner owner) {
    for (Module module : owner.getModules()) {
      put("module " + module.getModuleType(), owner.getMdoRef());
      if (module.isProtected()) {
        put("module protected", owner.getMdoRef());
      }
    }
  }

  private void form(String ref, Form form) {
    var data = form.getData();
    data.getPlainItems().forEach(item -> put("FormItem", ref + " " + item.getName()));
    data.getAttributes().forEach(attribute -> put("FormAttribute", ref + " " + attribute.getName()));
    data.getHandlers().forEach(handler -> put("FormHandler", ref + " " + handler.event() + " " + handler.name()));
  }

  private void links(String ref, MD md) {
    if (md instanceof Role role) {
      for (var object : role.getData().objectRights()) {
        for (var right : object.rights()) {
          put(right.value() ? "RoleRight" : "RoleRightDenied", ref + " " + object.name().getMdoRef());
        }
      }
    } else if (md instanceof Subsystem subsystem) {
      references("SubsystemContent", ref, subsystem.getContent());
    } else if (md instanceof FunctionalOption option) {
      references("FunctionalOptionContent", ref, option.getContent());
    } else if (md instanceof ExchangePlan plan) {
      plan.getContent().forEach(item -> put("ExchangePlanContent", ref + " " + item.getMetadata().getMdoRef()));
    } else if (md instanceof CommonAttribute attribute) {
      attribute.getContent().forEach(item -> put("CommonAttributeContent", ref + " " + item.getMetadata().getMdoRef()));
    } else if (md instanceof Document document) {
      references("RegisterRecord", ref, document.getRegisterRecords());
    } else if (md instanceof Catalog catalog) {
      references("Owner", ref, catalog.getOwners());
    } else if (md instanceof EventSubscription subscription && !subscription.getHandler().isEmpty()) {
      put("SubscriptionHandler", ref + " " + subscription.getHandler().getMethodPath());
    } else if (md instanceof ScheduledJob job && !job.getMethodName().isEmpty()) {
      put("ScheduledJobMethod", ref + " " + job.getMethodName().getMethodPath());
    }
  }

  private void references(String category, String ref, Collection<com.github._1c_syntax.bsl.types.MdoReference> targets) {
    // null: what the reference reader could not make out
    targets.forEach(target -> put(category, ref + " " + (target == null ? "?" : target.getMdoRef())));
  }

  private String json() {
    return found.entrySet().stream()
      .map(entry -> quoted(entry.getKey()) + ":[" + entry.getValue().stream().sorted()
        .map(MetadataReference::quoted).collect(Collectors.joining(",")) + "]")
      .collect(Collectors.joining(",\n", "{", "}"));
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "").replace("\t", " ") + '"';
  }
}
