//! The network of a scenario: listed node by node and link by link, or generated.

use rehearsal_actors::random::Streams;
use rehearsal_actors::topology::generate::{Draws, GenerateError, Range, Shape, generate};
use rehearsal_actors::topology::{NodeId, Resources, Topology};
use rehearsal_actors::units::{Bandwidth, Bytes, Cores, Probability, SimDuration};

use super::decode::{Kind, Raw, Spanned};
use super::explicit;
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span};
use super::values::{quantity_or, unknown_name, unknown_word};

/// What generators count in is held in 32 bits.
const MOST_COUNTED: u64 = 100_000;
/// Generators draw bandwidths in whole megabits a second.
const MBIT: u64 = 1_000_000;

/// A network as declared. What is drawn in it depends on the seed.
#[derive(Clone, Debug)]
pub(crate) enum Network {
    /// Listed in full.
    Explicit(Topology),
    /// To be drawn.
    Generated {
        shape: Shape,
        draws: Draws,
        /// The shape's name.
        at: Span,
        /// Where each field stands, to say which of them is to blame.
        fields: Vec<(&'static str, Span)>,
    },
}

impl Network {
    /// The nodes and links that a seed gives.
    pub(crate) fn build(&self, streams: &Streams, mistakes: &mut Mistakes) -> Option<Topology> {
        match self {
            Network::Explicit(topology) => Some(topology.clone()),
            Network::Generated { shape, draws, at, fields } => match generate(shape, draws, streams) {
                Ok(topology) => Some(topology),
                Err(error) => {
                    let span = blame(&error).and_then(|name| fields.iter().find(|(field, _)| *field == name));
                    mistakes.add(span.map_or(*at, |(_, span)| *span), Mistake::from_error(&error));
                    None
                }
            },
        }
    }

    pub(crate) fn read(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Network> {
        const SHAPES: [&str; 7] = ["Explicit", "Star", "Hierarchical", "Random", "ScaleFree", "SmallWorld", "FatTree"];
        let Some((word, rest)) = raw.variant() else {
            raw.unexpected("a network such as `Star(nodes: 5)` or `Explicit(nodes: [...], links: [...])`", mistakes);
            return None;
        };
        match word.value {
            "Explicit" => explicit::read_topology(rest, mistakes).map(Network::Explicit),
            shape if SHAPES.contains(&shape) => generated(&word, rest, mistakes),
            _ => {
                unknown_word(&word, "a network", SHAPES.into_iter(), mistakes);
                None
            }
        }
    }
}

/// The field that a generator's complaint is about.
fn blame(error: &GenerateError) -> Option<&'static str> {
    match error {
        GenerateError::NoShare { .. }
        | GenerateError::SharesSum { .. }
        | GenerateError::NoGroups
        | GenerateError::EmptyGroup { .. } => Some("partition"),
        GenerateError::NoNodes | GenerateError::TooManyNodes { .. } => Some("nodes"),
        GenerateError::Attachments { .. } => Some("attachments"),
        GenerateError::Neighbours { .. } => Some("neighbours"),
        GenerateError::Ports { .. } => Some("k"),
        GenerateError::ZeroBandwidth | GenerateError::BandwidthTooLarge { .. } => Some("bandwidth"),
        GenerateError::Backwards { what, .. } => what.split(' ').next(),
        GenerateError::TooManyLinks { .. } => None,
    }
}

/// Reads the fields of a generated network, noting where each stands.
struct ShapeReader<'f, 'a> {
    fields: Fields<'a>,
    spans: Vec<(&'static str, Span)>,
    mistakes: &'f mut Mistakes,
}

impl<'a> ShapeReader<'_, 'a> {
    fn optional(&mut self, name: &'static str) -> Option<Raw<'a>> {
        let raw = self.fields.optional(name, self.mistakes)?;
        self.spans.push((name, raw.span()));
        Some(raw)
    }

    fn required(&mut self, name: &'static str, example: &str) -> Option<Raw<'a>> {
        let raw = self.fields.required(name, example, self.mistakes)?;
        self.spans.push((name, raw.span()));
        Some(raw)
    }

    fn count(&mut self, name: &'static str, example: &str, least: u64) -> Option<u32> {
        let raw = self.required(name, example)?;
        raw.whole(least, MOST_COUNTED, self.mistakes).map(|n| n as u32)
    }

    fn chance(&mut self, name: &'static str, example: &str) -> Option<Probability> {
        self.required(name, example)?.quantity(self.mistakes)
    }

    /// A range of quantities, `("1ms", "40ms")`, or one quantity that is both ends.
    fn range<T: Copy>(
        &mut self,
        name: &'static str,
        read: impl Fn(Raw<'a>, &mut Mistakes) -> Option<T>,
        low: &mut T,
        high: &mut T,
    ) {
        let Some(raw) = self.optional(name) else {
            return;
        };
        if raw.kind() != Kind::Struct {
            if let Some(value) = read(raw, self.mistakes) {
                (*low, *high) = (value, value);
            }
            return;
        }
        match raw.members().as_deref() {
            Some([first, last]) => {
                if let (Some(first), Some(last)) = (read(*first, self.mistakes), read(*last, self.mistakes)) {
                    (*low, *high) = (first, last);
                }
            }
            _ => {
                let mistake = Mistake::new(format!("`{name}` is one value or a range of two"));
                self.mistakes.add(raw.span(), mistake.label("write `(least, most)`"));
            }
        }
    }

    fn draws(&mut self) -> Draws {
        let mut draws = Draws::default();
        if let Some(raw) = self.optional("symmetric") {
            draws.symmetric = raw.truth(self.mistakes).unwrap_or(true);
        }
        let Range { low, high } = &mut draws.latency;
        self.range("latency", Raw::quantity::<SimDuration>, low, high);
        let Range { low, high } = &mut draws.processing;
        self.range("processing", Raw::quantity::<SimDuration>, low, high);
        let Range { low, high } = &mut draws.resources;
        self.range("cpu", Raw::quantity::<Cores>, &mut low.cpu, &mut high.cpu);
        self.range("gpu", Raw::quantity::<Cores>, &mut low.gpu, &mut high.gpu);
        self.range("ram", Raw::quantity::<Bytes>, &mut low.ram, &mut high.ram);
        self.range("storage", Raw::quantity::<Bytes>, &mut low.storage, &mut high.storage);
        let Range { low, high } = draws.bandwidth.unwrap_or(Range { low: 1, high: 1 });
        let (mut low, mut high) = (Some(low), Some(high));
        self.range("bandwidth", megabits, &mut low, &mut high);
        draws.bandwidth = low.zip(high).map(|(low, high)| Range { low, high });
        draws
    }
}

/// Whole megabits a second; `Some(None)` for unlimited.
fn megabits(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Option<u64>> {
    match raw.bandwidth(mistakes)? {
        Bandwidth::Unlimited => Some(None),
        Bandwidth::BitsPerSecond(bits) if bits.get() % MBIT == 0 => Some(Some(bits.get() / MBIT)),
        Bandwidth::BitsPerSecond(_) => {
            let mistake = Mistake::new("bandwidths are drawn in whole Mbit/s");
            mistakes.add(raw.span(), mistake.label("write a whole number of Mbit/s"));
            None
        }
    }
}

fn generated(word: &Spanned<&str>, raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Network> {
    let fields = raw.fields("this network", mistakes)?;
    let mut reader = ShapeReader { fields, spans: Vec::new(), mistakes };
    let shape = match word.value {
        "Star" => reader.count("nodes", "5", 1).map(|nodes| Shape::Star { nodes }),
        "Hierarchical" => hierarchical(&mut reader),
        "Random" => {
            let nodes = reader.count("nodes", "20", 1);
            let chance = reader.chance("chance", "0.2");
            nodes.zip(chance).map(|(nodes, chance)| Shape::Random { nodes, chance })
        }
        "ScaleFree" => {
            let nodes = reader.count("nodes", "20", 1);
            let attachments = reader.count("attachments", "2", 1);
            nodes.zip(attachments).map(|(nodes, attachments)| Shape::ScaleFree { nodes, attachments })
        }
        "SmallWorld" => {
            let nodes = reader.count("nodes", "20", 1);
            let neighbours = reader.count("neighbours", "4", 2);
            let rewiring = reader.chance("rewiring", "0.1");
            nodes.zip(neighbours).zip(rewiring).map(|((nodes, neighbours), rewiring)| Shape::SmallWorld {
                nodes,
                neighbours,
                rewiring,
            })
        }
        _ => reader.count("k", "4", 2).map(|k| Shape::FatTree { k }),
    };
    let draws = reader.draws();
    let ShapeReader { fields, spans, mistakes } = reader;
    fields.finish(mistakes);
    Some(Network::Generated { shape: shape?, draws, at: word.span, fields: spans })
}

fn hierarchical(reader: &mut ShapeReader<'_, '_>) -> Option<Shape> {
    let nodes = reader.count("nodes", "30", 1);
    let shares = reader.required("partition", "[0.6, 0.4]");
    let partition = shares.and_then(|raw| {
        let items = raw.items("the share of each group in a list", reader.mistakes)?;
        let shares: Vec<_> = items.iter().map(|item| item.decimal(0.0, 1.0, reader.mistakes)).collect();
        shares.into_iter().collect::<Option<Vec<f64>>>()
    });
    let joined = reader.chance("joined", "0.3");
    let within = match reader.optional("within") {
        Some(raw) => raw.quantity(reader.mistakes),
        None => Some(Probability::NEVER),
    };
    Some(Shape::Hierarchical { nodes: nodes?, partition: partition?, joined: joined?, within: within? })
}

/// The four kinds of resources, or what holds without them.
pub(crate) fn read_resources(fields: &mut Fields<'_>, otherwise: Resources, mistakes: &mut Mistakes) -> Resources {
    Resources {
        cpu: quantity_or(fields, "cpu", otherwise.cpu, mistakes),
        gpu: quantity_or(fields, "gpu", otherwise.gpu, mistakes),
        ram: quantity_or(fields, "ram", otherwise.ram, mistakes),
        storage: quantity_or(fields, "storage", otherwise.storage, mistakes),
    }
}

/// The node of that name; if there is none, a mistake.
pub(crate) fn find_node(name: &Spanned<String>, topology: &Topology, mistakes: &mut Mistakes) -> Option<NodeId> {
    let found = topology.find(&name.value);
    if found.is_none() {
        unknown_name(name, "node", topology.nodes().map(|(_, node)| node.name.as_str()), mistakes);
    }
    found
}
