//! One `pom.xml` as it is written: what it uses and manages, by profile, with nothing resolved.
//!
//! Never here: other files, or the value of a property.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::documents::{child, children, text_of, xml};
use super::tree::File;

/// No build has more profiles; each is looked through for every property.
const MOST_PROFILES: usize = 200;

/// What a pom uses something as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `dependency`.
    Dependency,
    /// `plugin`, in `build` or `reporting`.
    Plugin,
    /// What a plugin needs, an extension of the build, a processor of annotations: each with a version of its own.
    Tool,
}

/// Something that a pom uses or manages; every field as it is written.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) role: Role,
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: Option<String>,
    /// `type`, when it is another than `jar`.
    pub(super) packaging: Option<String>,
    pub(super) classifier: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) optional: Option<bool>,
}

/// The pom outside of its profiles, or one of them.
#[derive(Debug, Default)]
pub(super) struct Layer {
    /// Always in force, or unless another profile is asked for.
    pub(super) active: bool,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) uses: Vec<Use>,
    pub(super) managed: Vec<Use>,
    pub(super) managed_plugins: Vec<Use>,
}

/// Coordinates as they are written.
#[derive(Debug, Default)]
pub(super) struct Coordinates {
    pub(super) group: Option<String>,
    pub(super) artifact: Option<String>,
    pub(super) version: Option<String>,
}

/// One pom.
#[derive(Debug)]
pub(super) struct Pom {
    pub(super) own: Coordinates,
    pub(super) parent: Option<Coordinates>,
    /// Where the parent stands; nothing where it is looked for by coordinates alone.
    pub(super) parent_path: Option<String>,
    /// First the pom itself, then its profiles.
    pub(super) layers: Vec<Layer>,
    pub(super) has_too_many_profiles: bool,
    /// Properties of the layers in force, a profile's before the pom's.
    pub(super) in_force: BTreeMap<String, String>,
    /// Properties of the other layers; nothing where they differ.
    pub(super) elsewhere: BTreeMap<String, Option<String>>,
    /// By artifact as it is written: layer and place in `managed`, those in force first.
    pub(super) managed_at: BTreeMap<String, Vec<(usize, usize)>>,
}

impl Pom {
    /// Reads a pom; nothing where the file is XML of another kind.
    ///
    /// # Errors
    /// Where it is not XML.
    pub(super) fn parse(file: File<'_>) -> Result<Option<Self>, String> {
        let document = xml(file)?;
        let project = document.root_element();
        if project.tag_name().name() != "project" {
            return Ok(None);
        }
        let parent = child(project, "parent");
        let profiles: Vec<_> =
            child(project, "profiles").into_iter().flat_map(|all| children(all, "profile")).collect();
        let mut layers = vec![Layer { active: true, ..layer(project) }];
        layers.extend(profiles.iter().take(MOST_PROFILES).map(|profile| layer(*profile)));
        let mut managed_at: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        // A profile that is in force comes before the pom itself, and that before what is not in force.
        let mut order: Vec<usize> = (0..layers.len()).collect();
        order.sort_by_key(|at| (layers.get(*at).is_none_or(|layer| !layer.active), *at == 0));
        for at in order {
            for (place, managed) in layers.get(at).into_iter().flat_map(|layer| &layer.managed).enumerate() {
                managed_at.entry(managed.artifact.clone()).or_default().push((at, place));
            }
        }
        let (mut in_force, mut elsewhere) = (BTreeMap::new(), BTreeMap::new());
        // The pom itself comes last, so that what a profile in force says stays.
        for layer in layers.iter().skip(1).chain(layers.first()) {
            for (name, value) in &layer.properties {
                if layer.active {
                    in_force.entry(name.clone()).or_insert_with(|| value.clone());
                } else {
                    let known = elsewhere.entry(name.clone()).or_insert_with(|| Some(value.clone()));
                    *known = known.take().filter(|known| known == value);
                }
            }
        }
        Ok(Some(Self {
            in_force,
            elsewhere,
            own: coordinates(project),
            parent_path: match parent.and_then(|parent| child(parent, "relativePath")) {
                None => Some("../pom.xml".to_owned()),
                Some(path) => path.text().map(|path| path.trim().to_owned()).filter(|path| !path.is_empty()),
            },
            parent: parent.map(coordinates),
            layers,
            has_too_many_profiles: profiles.len() > MOST_PROFILES,
            managed_at,
        }))
    }

    /// Returns the group, which is the parent's where it has none of its own.
    pub(super) fn group(&self) -> Option<&str> {
        self.own.group.as_deref().or_else(|| self.parent.as_ref()?.group.as_deref())
    }

    /// Returns the version, which is the parent's where it has none of its own.
    pub(super) fn version(&self) -> Option<&str> {
        self.own.version.as_deref().or_else(|| self.parent.as_ref()?.version.as_deref())
    }
}

/// Reads `.mvn/extensions.xml`.
///
/// # Errors
/// Where it is not XML.
pub(super) fn extensions(file: File<'_>) -> Result<Vec<Use>, String> {
    let document = xml(file)?;
    Ok(children(document.root_element(), "extension").filter_map(|node| used(node, Role::Tool)).collect())
}

fn coordinates(node: Node<'_, '_>) -> Coordinates {
    let text = |name| text_of(node, name).map(str::to_owned);
    Coordinates { group: text("groupId"), artifact: text("artifactId"), version: text("version") }
}

fn layer(node: Node<'_, '_>) -> Layer {
    let active = child(node, "activation").and_then(|activation| text_of(activation, "activeByDefault"));
    let properties = child(node, "properties").into_iter().flat_map(|all| all.children());
    let properties = properties
        .filter(Node::is_element)
        .map(|property| (property.tag_name().name().to_owned(), property.text().unwrap_or_default().trim().to_owned()));
    let mut layer = Layer { active: active == Some("true"), properties: properties.collect(), ..Layer::default() };
    layer.uses.extend(dependencies(node, Role::Dependency));
    layer
        .managed
        .extend(child(node, "dependencyManagement").into_iter().flat_map(|all| dependencies(all, Role::Dependency)));
    let build = child(node, "build");
    for part in build.into_iter().chain(child(node, "reporting")) {
        for plugin in plugins(part) {
            layer.uses.extend(used(plugin, Role::Plugin));
            layer.uses.extend(tools(plugin));
        }
    }
    if let Some(build) = build {
        for plugin in child(build, "pluginManagement").into_iter().flat_map(plugins) {
            layer.managed_plugins.extend(used(plugin, Role::Plugin));
            layer.uses.extend(tools(plugin));
        }
        let extensions = child(build, "extensions").into_iter().flat_map(|all| children(all, "extension"));
        layer.uses.extend(extensions.filter_map(|extension| used(extension, Role::Tool)));
    }
    layer
}

fn dependencies(node: Node<'_, '_>, role: Role) -> Vec<Use> {
    let all = child(node, "dependencies").into_iter().flat_map(|all| children(all, "dependency"));
    all.filter_map(|dependency| used(dependency, role)).collect()
}

fn plugins<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    child(node, "plugins").into_iter().flat_map(|all| children(all, "plugin"))
}

/// What a plugin needs beside its own dependencies, and the processors of annotations that it is told of.
fn tools(plugin: Node<'_, '_>) -> Vec<Use> {
    let mut tools = dependencies(plugin, Role::Tool);
    for configuration in plugin.descendants().filter(|node| node.tag_name().name() == "annotationProcessorPaths") {
        tools.extend(configuration.children().filter(Node::is_element).filter_map(|path| used(path, Role::Tool)));
    }
    tools
}

fn used(node: Node<'_, '_>, role: Role) -> Option<Use> {
    let text = |name| text_of(node, name).map(str::to_owned);
    let group = text("groupId").or_else(|| (role == Role::Plugin).then(|| "org.apache.maven.plugins".to_owned()))?;
    let optional = text_of(node, "optional").map(|optional| optional == "true");
    Some(Use {
        role,
        group,
        artifact: text("artifactId")?,
        version: text("version"),
        packaging: text("type").filter(|packaging| packaging != "jar" && packaging != "maven-plugin"),
        classifier: text("classifier"),
        scope: text("scope"),
        optional,
    })
}
